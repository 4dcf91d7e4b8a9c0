"""Traditional script."""


def to_traditional(text: str) -> str:
    return text.translate({ord("发"): "發"})
