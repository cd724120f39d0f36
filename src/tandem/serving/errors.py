"""What is wrong with a request, as a status code and one sentence."""

from collections.abc import Mapping


class RequestError(Exception):
    """A request that is refused or given up.

    :param status: of the answer.
    :param sentence: what, where, the rule, the remedy.
    :param headers: of the answer, such as ``Retry-After``.
    """

    def __init__(
        self, status: int, sentence: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.headers = dict(headers or {})
