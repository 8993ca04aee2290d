"""What comes from outside is data: names, files and JSON of others, checked before anything is done with them."""

from rogseg.foreign.files import open_regular, parse_json, read_arrays, read_json, read_regular
from rogseg.foreign.names import checked_name
from rogseg.foreign.typed_json import decode

__all__ = ["checked_name", "decode", "open_regular", "parse_json", "read_arrays", "read_json", "read_regular"]
