"""The calls of Python's grpcio, with messages made of a FileDescriptorSet. Prints a JSON object of kinds and outcomes."""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

target, descriptors, repository = sys.argv[1:4]
OID = "ce013625030ba8dba906f756967f9e9ca394464a"
CONTENT = b"hello\n"

pool = descriptor_pool.DescriptorPool()
with open(descriptors, "rb") as file:
    files = descriptor_pb2.FileDescriptorSet.FromString(file.read()).file
for described in files:
    pool.Add(described)
service = pool.FindServiceByName("blobwire.v1.VcsService")
factory = message_factory.MessageFactory(pool)


def class_of(descriptor):
    return factory.GetPrototype(descriptor)


def call(channel, kind, name):
    method = service.methods_by_name[name]
    make = getattr(channel, kind)
    return make(
        "/blobwire.v1.VcsService/" + name,
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=class_of(method.output_type).FromString,
    )


def request(name, **fields):
    return class_of(service.methods_by_name[name].input_type)(**fields)


def unary(channel):
    call(channel, "unary_unary", "CreateRepository")(request("CreateRepository", repository=repository))
    stored = call(channel, "unary_unary", "StoreBlob")(
        request("StoreBlob", repository=repository, content=CONTENT), timeout=10
    )
    assert stored.oid == OID, stored


def error(channel):
    try:
        call(channel, "unary_unary", "GetBlob")(request("GetBlob", repository=repository, oid="ab" * 20))
    except grpc.RpcError as found:
        assert found.code() == grpc.StatusCode.NOT_FOUND, found
        assert any(key == "grpc-status-details-bin" for key, _ in found.trailing_metadata()), "no details"
    else:
        raise AssertionError("no error")


def upload(channel):
    messages = [
        request("UploadBlob", repository=repository, upload_id="one", offset=0, chunk=CONTENT[:2]),
        request("UploadBlob", offset=2, chunk=CONTENT[2:], complete=True, oid=OID),
    ]
    assert call(channel, "stream_unary", "UploadBlob")(iter(messages)).oid == OID


def download(channel):
    answers = call(channel, "unary_stream", "DownloadBlob")(request("DownloadBlob", repository=repository, oid=OID))
    assert b"".join(answer.chunk for answer in answers) == CONTENT


def session(channel):
    frame = request("Session")
    frame.batch.repository = repository
    frame.batch.first_id = 1
    frame.batch.operations.add().get_blob.oid = OID
    answers = list(call(channel, "stream_stream", "Session")(iter([frame])))
    assert answers[-1].results[0].result.get_blob.oid == OID, answers


outcomes = {}
with grpc.insecure_channel(target) as channel:
    for kind in (unary, error, upload, download, session):
        try:
            kind(channel)
            outcomes[kind.__name__] = "works"
        except Exception as problem:  # a failure is an outcome
            outcomes[kind.__name__] = repr(problem)[:500]
print(json.dumps({"version": grpc.__version__, "cells": outcomes}))
