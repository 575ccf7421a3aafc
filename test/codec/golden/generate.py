#!/usr/bin/python3
"""Writes golden.json: the same messages as bytes made by other implementations.

MessagePack comes from Python's msgpack (Debian package python3-msgpack), protobuf and ProtoJSON from buf (Go).
Run from the repository's root, after `npm ci`:  /usr/bin/python3 test/codec/golden/generate.py
"""
import base64
import json
import subprocess

import msgpack

OID = "ce013625030ba8dba906f756967f9e9ca394464a"

# Field values as Python has them: bytes are bytes, 64-bit integers are integers.
MESSAGES = {
    "StoreBlobRequest": [
        {"repository": "demo", "content": b"hello\n"},
        {"repository": "team/site", "content": bytes(range(256))},
        {"content": b"\x00" * 300},
        {},
    ],
    "StoreBlobResponse": [{"oid": OID, "size": 6}, {"oid": OID, "size": 5 * 2**30}, {"oid": OID, "size": 2**53 - 1}],
    "StoreTreeRequest": [
        {
            "repository": "demo",
            "entries": [
                {"path": "a.txt", "mode": "100644", "oid": OID},
                {"path": "dir/Grüße 🎉.txt", "mode": "100755", "oid": OID},
            ],
        }
    ],
    "CommitFilesRequest": [
        {
            "repository": "demo",
            "branch": "main",
            "changes": [
                {"path": "empty", "content": b""},
                {"path": "old", "delete": True},
                {"path": "kept", "delete": False},
                {"path": "new", "moveFrom": "was"},
            ],
            "author": {"name": "Ada", "email": "ada@example.org", "timeSeconds": 1700000000, "zone": "-0330"},
            "message": "Quote \" backslash \\ newline \n tab \t nul-free \u2028\n",
        }
    ],
    "BatchOperationsRequest": [
        {
            "repository": "demo",
            "operations": [{"storeBlob": {"content": b"x"}}, {"getBlob": {"oid": OID}}, {"getRepository": {}}],
            "atomic": True,
        }
    ],
    "ErrorDetail": [
        {
            "reason": "ref_mismatch",
            "retryable": True,
            "refMismatches": [{"name": "refs/heads/main", "expectedOid": "0" * 40, "foundOid": OID}],
            "limit": {"limit": "max_inline_bytes", "maximum": 1048576, "actual": 2**40},
        }
    ],
    "ListRefsRequest": [{"repository": "demo", "pageSize": 4294967295}],
}


def to_json(value):
    """ProtoJSON input for buf: bytes as base64; it accepts numbers for 64-bit integers."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value


def buf(message_type, source, to):
    command = ["node_modules/.bin/buf", "convert", "proto", "--type", f"blobwire.v1.{message_type}"]
    command += ["--from", "-#format=json", "--to", f"-#format={to}"]
    return subprocess.run(command, input=json.dumps(source).encode(), capture_output=True, check=True).stdout


cases = []
for message_type, messages in MESSAGES.items():
    for message in messages:
        plain = to_json(message)
        cases.append(
            {
                "type": message_type,
                "json": buf(message_type, plain, "json").decode().strip(),
                "protobuf": base64.b64encode(buf(message_type, plain, "binpb")).decode(),
                "msgpack": base64.b64encode(msgpack.packb(message, use_bin_type=True)).decode(),
            }
        )
with open("test/codec/golden/golden.json", "w", encoding="utf-8") as file:
    json.dump(cases, file, indent=1, ensure_ascii=False)
    file.write("\n")
print(len(cases), "cases")
