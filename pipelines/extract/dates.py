"""Dates as pages print them: found in text, with what they tell of hour, minute and zone, and no more.

A date in prose ("8月16日") is never a publication date: all forms here hold a year. The forms are data, tried in order at
every place of the text; the earliest place wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from pipelines.model import Precision

_YEAR = r"(?P<year>(?:19[89]|20[0-4])\d)"
_SEP = r"\s*[-/.年]\s*"
_TIME = (
    r"(?:[\sTt,·|—–-]{0,4}(?:(?:at|um|à|às|alle|a las|в|HKT)\s)?(?:\(?(?:星期|週|周|礼拜).\)?)?[\s,]{0,3}"
    r"(?P<half>上午|下午|晚上|傍晚|中午|凌晨|早上|[AaPp]\.?[Mm]\.?)?\s{0,2}"
    r"(?P<hour>[01]?\d|2[0-4])\s?(?:[:：时時点h]|\.(?=\d\d\s?(?:[AaPp]\.?[Mm]|[A-Z]{2,4}T\b)))\s?(?P<minute>[0-5]\d)(?:\s?[:：分]\s?(?P<second>[0-5]\d)(?:\.\d{1,9})?)?秒?"
    r"\s{0,2}(?P<half2>[AaPp]\.?[Mm]\b\.?)?\s{0,2}(?P<zone>Z\b|UTC\b|GMT\b(?:\s?[+-]\d\d?)?|[+-]\d\d:?\d\d\b|(?:[ECMP][SD]?T|BST|CES?T|AE[SD]T|JST|MSK)\b)?)?"
)
_BEFORE = re.compile(
    r"(?<![\d:])(?P<hour>[01]?\d|2[0-3])(?::|\.(?=\d\d\s?(?:[AaPp]\.?[Mm]|[A-Z]{2,4}T\b)))(?P<minute>[0-5]\d)\s?(?P<half>[AaPp]\.?[Mm]\b\.?)?"
    r"\s?(?P<zone>UTC|GMT|[ECMP][SD]?T|BST|CES?T|AE[SD]T)?[\s,|·]{1,3}(?:on\s)?(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,?\s)?$"
)
"""a time of day that stands before a day whose month is a word ("15:39, November 23, 2022")"""
_PLACES = {"E": "America/New_York", "C": "America/Chicago", "M": "America/Denver", "P": "America/Los_Angeles", "A": "Australia/Sydney"}
_HOURS = {"BST": 1, "CET": 1, "CEST": 2, "JST": 9, "MSK": 3}
"""zones by name. CST is not read: it is China's and Chicago's"""
_MONTH_NAMES = """
    jan(?:uary|uar|eiro|vier)?|ene(?:ro)?|gennaio|января|ocak
    feb(?:ruary|ruar|rero|braio)?|fev(?:ereiro)?|février|февраля|şubat
    mar(?:ch|zo|ço|s|t)?|märz|марта
    apr(?:il|ile)?|abr(?:il)?|avril|апреля|nisan
    may(?:o)?|mai(?:o)?|maggio|мая|mayıs
    june?|juni(?:o)?|junho|juin|giugno|июня|haziran
    july?|juli(?:o)?|julho|juillet|luglio|июля|temmuz
    aug(?:ust)?|ago(?:sto)?|août|августа|ağustos
    sept?(?:ember|iembre|embre|tembre)?|set(?:embro|tembre)?|сентября|eylül
    oct(?:ober|ubre|obre)?|okt(?:ober)?|out(?:ubro)?|ott(?:obre)?|октября|ekim
    nov(?:ember|iembre|embro|embre)?|ноября|kasım
    dec(?:ember)?|dez(?:ember|embro)?|dic(?:iembre|embre)?|décembre|декабря|aralık
"""
"""one line a month: English, German, Spanish, Portuguese, French, Italian, Russian and Turkish"""
_MONTHS = tuple(re.compile(rf"(?:{line.strip()})\Z", re.IGNORECASE) for line in _MONTH_NAMES.strip().splitlines())
_MONTH = rf"(?P<name>(?i:{'|'.join(line.strip() for line in _MONTH_NAMES.strip().splitlines())}))(?![^\W\d_])\.?"
_ANY_YEAR = re.compile(rf"{_YEAR}|民[国國]")
_ROC = 1911
"""to be added to a year of the Republic"""
_WIDE_DIGIT = re.compile("[０-９]")
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_FORMS = tuple(
    re.compile(form + _TIME)
    for form in (
        rf"(?<!\d){_YEAR}{_SEP}(?P<month>1[0-2]|0?[1-9])\s*[-/.月]\s*(?P<day>3[01]|[12]\d|0?[1-9])(?:\s*日)?(?!\d(?!\d?\s?[:：时時点]))",
        r"民[国國]\s*(?P<roc>1[0-4]\d|[89]\d)\s*年\s*(?P<month>1[0-2]|0?[1-9])\s*月\s*(?P<day>3[01]|[12]\d|0?[1-9])\s*日",
        rf"(?<!\d){_YEAR}\s+(?P<month>1[0-2]|0\d)\s*[-/]\s*(?P<day>3[01]|[12]\d|0\d)(?!\d)",
        rf"(?<!\d){_YEAR}(?P<month>1[0-2]|0[1-9])(?P<day>3[01]|[12]\d|0[1-9])(?!\d)",
        rf"(?<![\d/])(?P<day>3[01]|[12]\d|0?[1-9])\s*[/.]\s*(?P<month>1[0-2]|0?[1-9])\s*[/.]\s*{_YEAR}(?!\d)",
        rf"(?<![\d/])(?P<month>1[0-2]|0?[1-9])/(?P<day>1[3-9]|2\d|3[01])/{_YEAR}(?!\d)",
        rf"\b{_MONTH}\s{{0,2}}(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th)?,?\s{{1,2}}{_YEAR}(?!\d)",
        rf"(?<!\d)(?P<day>3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th|\.|º)?[\s-]{{1,2}}(?:de\s)?{_MONTH}(?:\sde)?,?[\s-]{{1,2}}{_YEAR}(?!\d)",
    )
)
_OF_WORDS = 2
"""forms, the last ones, whose month is a word"""
_SPELLED = re.compile(r"[^\W\d_\u3000-\u9fff]{3}")
_OTHER = re.compile(
    r"(?:成文|签署|施行|实施|截[至止]|有效期|活动|举办|开始|结束|生效|注册|成立|出生|印发)(?:时间|日期|于|至|日)?\s*[:：]?\s*$"
)
"""labels of dates that are not when a page went out"""
MODIFIED = re.compile(
    r"(?:最后更新|更新(?:时间|日期|于)?|修改(?:时间|日期)?|last\s*(?:updated|modified)|updated?)\s*(?:at|on)?\s*[:：]?\s*$", re.IGNORECASE
)
_LOOK_BACK = 14
_TIME_BEFORE = 40
"""characters before a day in which its time of day can stand"""
_AFTERNOON = {hour: hour + 12 for hour in range(1, 12)}
_MORNING = {12: 0}
_HALVES: dict[str, dict[int, int]] = {
    "下午": _AFTERNOON,
    "傍晚": _AFTERNOON,
    "p": _AFTERNOON,
    "中午": {hour: hour + 12 for hour in (1, 2, 3)},
    "晚上": {**{hour: hour + 12 for hour in range(5, 12)}, 12: 24},
    "凌晨": _MORNING,
    "早上": _MORNING,
    "上午": _MORNING,
    "a": _MORNING,
}
"""half of the day → printed hour → hour of the day, where it is another one; 24 is the next day's midnight. 上午 before 12 is what
programs write for the hour after midnight"""
_MAX_TEXT = 4_000
"""characters of one text that are searched"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What a printed date tells. `at` is naive where no zone is printed; `modified` says that it is named an update."""

    at: datetime
    precision: Precision
    start: int = 0
    end: int = 0
    modified: bool = False
    other: bool = False
    """labelled as the date of something else"""

    def within(self, zone: tzinfo) -> datetime:
        """The aware time: in `zone` where nothing is printed or only a point in UTC, else with the offset printed."""
        if self.at.tzinfo is None:
            return self.at.replace(tzinfo=zone)
        return self.at.astimezone(zone) if self.at.tzinfo is UTC else self.at


def moments(text: str) -> Iterator[Moment]:
    """All dates of a text in order of place. Impossible ones (month 13, 31 February) are passed over."""
    at, text = 0, text[:_MAX_TEXT]
    if _WIDE_DIGIT.search(text):
        text = text.translate(_WIDE)
    while match := _next(text, at):
        at = match.end()
        moment = _moment(match)
        if moment is not None:
            yield moment


def first(text: str | None) -> Moment | None:
    """The first date of a text, None where there is none."""
    return next(moments(text), None) if text else None


def _next(text: str, at: int) -> re.Match[str] | None:
    if _ANY_YEAR.search(text, at) is None:
        return None  # one search, not one for each form: behind most dates there is no other
    found: list[re.Match[str]] = []
    for form in _FORMS if _SPELLED.search(text, at) else _FORMS[:-_OF_WORDS]:
        if match := form.search(text, at):
            found.append(match)
            if match.start() == at:
                break  # most texts are asked for the date that they begin with: no other form stands before it
    return min(found, key=re.Match.start, default=None)


def _moment(match: re.Match[str]) -> Moment | None:
    part = match.groupdict()
    start = match.start()
    if (name := part.get("name")) is not None:
        month = next(number for number, names in enumerate(_MONTHS, 1) if names.match(name))
        if part["hour"] is None and (before := _BEFORE.search(match.string, max(0, start - _TIME_BEFORE), start)):
            part |= before.groupdict()
            start = before.start()
    else:
        month = int(part["month"])
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    half = (part["half"] or part["half2"] or "").lower()
    hour = _HALVES.get(half[:1] if half[:1] in "ap" else half, {}).get(hour, hour)
    try:
        year = int(part.get("year") or int(part["roc"]) + _ROC)
        at = datetime(year, month, int(part["day"]), hour % 24, minute, second)  # noqa: DTZ001 -- the zone follows
        at = at.replace(tzinfo=_zone(part["zone"], at)) + timedelta(days=hour // 24)
    except (ValueError, OverflowError):
        return None
    precision = Precision.DAY if part["hour"] is None else Precision.SECOND if part["second"] else Precision.MINUTE
    label = match.string[max(0, start - _LOOK_BACK) : start]
    return Moment(
        at=at,
        precision=precision,
        start=start,
        end=match.end(),
        modified=MODIFIED.search(label) is not None,
        other=_OTHER.search(label) is not None,
    )


def _zone(printed: str | None, at: datetime) -> tzinfo | None:
    if not printed:
        return None
    if (hours := _HOURS.get(printed)) is not None:
        return timezone(timedelta(hours=hours))
    if printed[0] in _PLACES and printed != "CST":
        offset = ZoneInfo(_PLACES[printed[0]]).utcoffset(at)
        return timezone(offset) if offset is not None else None
    digits = re.search(r"([+-])(\d\d?):?(\d\d)?$", printed)
    if digits is None:
        return UTC if printed != "CST" else None
    offset = timedelta(hours=int(digits[2]), minutes=int(digits[3] or 0))
    if offset > timedelta(hours=14):
        return None
    return timezone(-offset if digits[1] == "-" else offset) if offset else UTC
