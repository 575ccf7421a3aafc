"""Sends requests that are refused, and prints a line for each that had no answer, or another one.

Reads a JSON object from the file that is named: url, wire, ca, and requests with path, headers, file and status.
HTTP/1.1 by http.client, which sends the whole request before it reads; HTTP/2 by httpx.
"""
import http.client
import json
import ssl
import sys
from urllib.parse import urlsplit

job = json.load(open(sys.argv[1]))
address = urlsplit(job["url"])
context = ssl.create_default_context(cafile=job["ca"]) if address.scheme == "https" else None
bodies = {}


def body_of(request):
    name = request["file"]
    if name not in bodies:
        bodies[name] = open(name, "rb").read()
    return bodies[name]


def http1():
    connection = None

    def send(request):
        nonlocal connection
        if connection is None:
            if context:
                connection = http.client.HTTPSConnection(address.hostname, address.port, timeout=60, context=context)
            else:
                connection = http.client.HTTPConnection(address.hostname, address.port, timeout=60)
        try:
            connection.request("POST", request["path"], body_of(request), request["headers"])
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except Exception:
            connection = None
            raise

    return send


def http2():
    import httpx

    client = httpx.Client(http1=False, http2=True, verify=context if context else True, timeout=60)

    def send(request):
        url = job["url"].rstrip("/") + request["path"]
        return client.post(url, content=body_of(request), headers=request["headers"]).status_code

    return send


send = http1() if job["wire"] == "HTTP/1.1" else http2()
for request in job["requests"]:
    try:
        status = send(request)
        print("ok" if status == request["status"] else f"expected {request['status']}, not {status}")
    except Exception as error:
        print(f"expected {request['status']}, {len(body_of(request))} B: {type(error).__name__} {error}".replace("\n", " "))
