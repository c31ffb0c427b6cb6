"""Signatures: fields, the string grammar, immutable edits, state, validation of values."""

from telic.signatures.field import MISSING, Field, InputField, OutputField, infer_prefix
from telic.signatures.inputs import check_inputs
from telic.signatures.make import ensure_signature, make_signature
from telic.signatures.meta import SignatureMeta
from telic.signatures.signature import Signature
from telic.signatures.typenames import type_name
from telic.signatures.validation import (
    ValidationFailure,
    json_schema,
    object_schema,
    to_jsonable,
    validate,
    validator,
)

__all__ = [
    "MISSING",
    "Field",
    "InputField",
    "OutputField",
    "Signature",
    "SignatureMeta",
    "ValidationFailure",
    "check_inputs",
    "ensure_signature",
    "infer_prefix",
    "json_schema",
    "make_signature",
    "object_schema",
    "to_jsonable",
    "type_name",
    "validate",
    "validator",
]
