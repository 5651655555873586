"""Databases of keys and values, and how blobs are written into them.

Example:
    >>> import tempfile, pathlib
    >>> path = str(pathlib.Path(tempfile.mkdtemp()) / "numbers.minidb")
    >>> with open_db(path, "minidb", "new") as db, db.new_transaction() as writing:
    ...     writing.put("one", b"1")
    >>> with open_db(path, "minidb", "read") as db:
    ...     [(key, value) for key, value in db.new_cursor()]
    [(b'one', b'1')]
"""

from c2lab.storage.databases import Cursor, Database, Transaction, db_types, open_db, register_db
from c2lab.storage.quantized import Int8Tensor, QuantizedTensor, quantized_tensor
from c2lab.storage.reader import DBReader

__all__ = [
    "Cursor",
    "DBReader",
    "Database",
    "Int8Tensor",
    "QuantizedTensor",
    "Transaction",
    "db_types",
    "open_db",
    "quantized_tensor",
    "register_db",
]
