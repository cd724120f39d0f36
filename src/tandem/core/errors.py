"""What the user did wrong, told in one sentence."""

import difflib
import errno
import re
from collections.abc import Iterable


class InputError(ValueError):
    """Bad input: a value, a file or a combination of options that cannot work.

    The message is one sentence for the user: what, where, the rule, the remedy. The command line
    prints it without a traceback; any other exception is a bug of ours and keeps its traceback.
    """

    exit_code = 2
    """Of a command that ends with it."""

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


class NoRoomError(InputError):
    """The disk is full; the same command works once there is room."""

    exit_code = 3


def reason_of(error: BaseException) -> str:
    """Why something failed, on one line without a full stop: never nothing, and no address of an
    object.
    """
    said = error.strerror if isinstance(error, OSError) else None
    text = re.sub(r" ?<[^<>]* at 0x[0-9a-fA-F]+>", "", str(said or error))
    return " ".join(text.split()).rstrip(".") or type(error).__name__


def written(value: object) -> str:
    """A value as YAML and command lines have it: null for None, true for True."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


def no_room(error: OSError) -> NoRoomError | None:
    """The sentence about a full disk, if that is what an error is about."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return None
    where = "" if error.filename is None else f": {error.filename}"
    return NoRoomError(
        f"There is no room on the disk ({reason_of(error)}{where}); free some space and try again."
    )


def cannot_write(error: OSError, message: str) -> InputError:
    """The same sentence, with the exit code of a full disk if the error is about one."""
    return InputError(message) if no_room(error) is None else NoRoomError(message)


def nearest(name: str, names: Iterable[str]) -> str:
    """A remark on the known name that is most like an unknown one, or nothing."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f" (did you mean {near[0]}?)" if near else ""
