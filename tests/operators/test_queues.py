"""Queues: records in order, and what does not fit."""

from __future__ import annotations

import numpy as np
import pytest

from c2lab.errors import BadArgument, BadValue, NotSupported, SchemaError, ShapeMismatch, TypeMismatch
from c2lab.operators.values import RebatchingQueue
from c2lab.proto import caffe2_pb2
from c2lab.proto.arguments import make_argument
from c2lab.workspace import Workspace


def op(type, inputs=(), outputs=(), **arguments):
    made = caffe2_pb2.OperatorDef(type=type, input=inputs, output=outputs)
    made.arg.extend(make_argument(name, value) for name, value in arguments.items())
    return made


@pytest.fixture
def workspace():
    return Workspace("queues")


def test_records_come_out_in_order(workspace):
    workspace.run_operator(op("CreateBlobsQueue", [], ["q"], capacity=3, num_blobs=2))
    for k in range(3):
        workspace.feed("x", np.float32([k]))
        workspace.feed("y", np.array([b"%d" % k], object))
        workspace.run_operator(op("SafeEnqueueBlobs", ["q", "x", "y"], ["x", "y", "closed"]))
        assert not workspace.fetch("closed")
    workspace.run_operator(op("CloseBlobsQueue", ["q"]))
    workspace.run_operator(op("SafeEnqueueBlobs", ["q", "x", "y"], ["x", "y", "closed"]))
    assert workspace.fetch("closed")
    workspace.run_operator(op("DequeueBlobs", ["q"], ["a", "b"]))
    assert workspace.fetch("a").tolist() == [0]
    assert workspace.fetch("b").tolist() == [b"0"]
    workspace.run_operator(op("SafeDequeueBlobs", ["q"], ["a", "b", "end"], num_records=5))
    assert workspace.fetch("a").tolist() == [1, 2]
    assert not workspace.fetch("end")
    workspace.run_operator(op("SafeDequeueBlobs", ["q"], ["a", "b", "end"]))
    assert workspace.fetch("end")
    assert workspace.fetch("a").tolist() == [1, 2]
    with pytest.raises(BadValue, match="closed and drained"):
        workspace.run_operator(op("DequeueBlobs", ["q"], ["a", "b"]))
    with pytest.raises(BadValue, match="closed; nothing more"):
        workspace.run_operator(op("EnqueueBlobs", ["q", "x", "y"], ["x", "y"]))


def test_what_does_not_fit_is_named(workspace):
    workspace.run_operator(op("CreateBlobsQueue", [], ["q"], num_blobs=2))
    workspace.feed("x", np.float32([1]))
    with pytest.raises(ShapeMismatch, match="records of 2 blobs"):
        workspace.run_operator(op("EnqueueBlobs", ["q", "x"], ["x"]))
    with pytest.raises(SchemaError, match="2 blobs, but there are 1"):
        workspace.run_operator(op("DequeueBlobs", ["q"], ["x"]))
    with pytest.raises(BadValue, match=r"within 0\.0"):
        workspace.run_operator(op("DequeueBlobs", ["q"], ["x", "y"], timeout_secs=0.01))
    with pytest.raises(BadArgument, match="capacity is 0"):
        workspace.run_operator(op("CreateBlobsQueue", [], ["q"], capacity=0))
    with pytest.raises(BadArgument, match="must be a BlobsQueue"):
        workspace.run_operator(op("CloseBlobsQueue", ["x"]))


def test_rebatching(workspace):
    workspace.run_operator(op("CreateRebatchingQueue", [], ["q"], capacity=10, num_blobs=2))
    for begin in (0, 3):
        workspace.feed("x", np.arange(begin, begin + 3, dtype=np.float32))
        workspace.feed("y", np.ones((3, 2), np.int32) * begin)
        workspace.run_operator(op("EnqueueRebatchingQueue", ["q", "x", "y"], enqueue_batch=1))
    workspace.run_operator(op("DequeueRebatchingQueue", ["q"], ["x", "y"], num_elements=4))
    assert workspace.fetch("x").tolist() == [0, 1, 2, 3]
    assert workspace.fetch("y").shape == (4, 2)
    workspace.run_operator(op("CloseRebatchingQueue", ["q"]))
    workspace.run_operator(op("DequeueRebatchingQueue", ["q"], ["x", "y"], num_elements=4))
    assert workspace.fetch("x").tolist() == [4, 5]
    with pytest.raises(BadValue, match="drained"):
        workspace.run_operator(op("DequeueRebatchingQueue", ["q"], ["x", "y"]))
    with pytest.raises(ShapeMismatch, match="rows"):
        RebatchingQueue(9, 2).put_batch([np.zeros(2), np.zeros(3)])


def example(number):
    tensors = [
        caffe2_pb2.TensorProto(data_type=caffe2_pb2.TensorProto.STRING, string_data=[b"picture %d" % number]),
        caffe2_pb2.TensorProto(data_type=caffe2_pb2.TensorProto.INT32, int32_data=[number], dims=[1]),
    ]
    return caffe2_pb2.TensorProtos(protos=tensors).SerializeToString()


@pytest.mark.parametrize("as_tensor", [False, True])
def test_examples_out_of_a_queue(workspace, as_tensor):
    workspace.run_operator(op("CreateBlobsQueue", [], ["q"], capacity=100, num_blobs=2))
    workspace.run_operator(
        op("CreateBlobsQueueDB", ["q"], ["reader"], key_blob_index=0, value_blob_index=1, timeout_secs=0.05)
    )
    for number in range(6):
        workspace.feed("key", str(number))
        workspace.feed("value", np.array([example(number)], object) if as_tensor else example(number))
        workspace.run_operator(op("SafeEnqueueBlobs", ["q", "key", "value"], ["key", "value", "closed"]))
    for batch in (range(3), range(3, 6)):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["text", "number"], batch_size=3))
        assert workspace.fetch("text").tolist() == [b"picture %d" % k for k in batch]
        assert workspace.fetch("number").tolist() == [[k] for k in batch]
    with pytest.raises(BadValue, match=r"nothing came into the queue within 0\.05"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["text", "number"], batch_size=3))
    workspace.run_operator(op("CloseBlobsQueue", ["q"]))
    with pytest.raises(BadValue, match="no record left"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["text", "number"], batch_size=3))


def test_what_a_reader_of_a_queue_refuses(workspace):
    workspace.run_operator(op("CreateBlobsQueue", [], ["q"], capacity=2))
    for arguments in ({"value_blob_index": 1}, {"value_blob_index": -1}, {"key_blob_index": 1}):
        with pytest.raises(BadArgument, match="a record of this queue has 1 blobs"):
            workspace.run_operator(op("CreateBlobsQueueDB", ["q"], ["reader"], **arguments))
    workspace.run_operator(op("CreateBlobsQueueDB", ["q"], ["reader"]))
    workspace.feed("x", np.float32([1]))
    workspace.run_operator(op("SafeEnqueueBlobs", ["q", "x"], ["x", "closed"]))
    with pytest.raises(TypeMismatch, match="blob 0 of the record is no text"):
        workspace.run_operator(op("TensorProtosDBInput", ["reader"], ["y"]))
    with pytest.raises(NotSupported, match="cannot be saved"):
        workspace.blobs["reader"].serialize()
