"""The keys of an exported predictor: ``predictor_constants``."""

from c2lab.proto import predictor_consts_pb2

predictor_constants = predictor_consts_pb2.PredictorConsts()
