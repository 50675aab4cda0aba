class ClientError(ValueError):
    reason: str
    status_code: int
    def __init__(self, reason: str, status_code: int = 400) -> None: ...

class HTTPException(Exception):
    status_code: int
    reason: str
    headers: dict[str, str] | None
    def __init__(self, status_code: int, reason: str | None = None) -> None: ...
