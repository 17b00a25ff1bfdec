"""The currencies that Stripe charges, and the least amount of each (https://docs.stripe.com/currencies)."""

from collections.abc import Mapping
from typing import Final

from sandbox.stripe.refusals import Refusal, parameter_invalid

MINIMUMS: Final[Mapping[str, int]] = {
    "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000, "usd": 50,
}  # fmt: skip

ZERO_DECIMAL: Final = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL: Final = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
OTHERS: Final = frozenset([
    "afn", "all", "amd", "ang", "aoa", "ars", "awg", "azn", "bam", "bbd", "bdt", "bmd", "bnd", "bob", "bsd",
    "bwp", "byn", "bzd", "cdf", "cny", "cop", "crc", "cve", "dop", "dzd", "egp", "etb", "fjd", "fkp", "gel",
    "gip", "gmd", "gtq", "gyd", "hnl", "htg", "idr", "ils", "isk", "jmd", "kes", "kgs", "khr", "kyd", "kzt",
    "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mzn",
    "nad", "ngn", "nio", "npr", "pab", "pen", "pgk", "php", "pkr", "qar", "rsd", "rub", "sar", "sbd", "scr",
    "shp", "sle", "sos", "srd", "std", "szl", "tjs", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "uyu",
    "uzs", "wst", "xcd", "yer", "zar", "zmw",
])  # fmt: skip
WHOLE_UNITS: Final = frozenset(["isk", "ugx"])
"""Two-decimal on the wire, although their amounts must end in 00."""

CURRENCIES: Final = ZERO_DECIMAL | THREE_DECIMAL | OTHERS | MINIMUMS.keys()

LARGEST: Final = 99_999_999


def currency_of(text: str, *, param: str = "currency") -> str:
    """Lower-case `text`. Raises Stripe's complaint about a currency that it does not charge."""
    code = text.lower()
    if code not in CURRENCIES:
        message = (
            f"Invalid currency: {code}. Stripe currently supports these currencies: {', '.join(sorted(CURRENCIES))}"
        )
        raise parameter_invalid(message, param=param)
    return code


def minimum_of(currency: str) -> int:
    """Return the least amount that can be charged; half a unit where Stripe's table has no figure of its own."""
    usual = 1 if currency in ZERO_DECIMAL else 500 if currency in THREE_DECIMAL else 50
    return MINIMUMS.get(currency, usual)


def check_amount(amount: int, *, currency: str, param: str = "amount") -> None:
    """Raise amount_too_large, or a complaint about digits that the currency does not have."""
    if abs(amount) > LARGEST:
        raise Refusal(f"Amount must be no more than {shown(LARGEST, currency)}", code="amount_too_large", param=param)
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_UNITS else 1
    if amount % step:
        raise Refusal(f"Invalid amount: an amount in {currency} must be a multiple of {step}.", param=param)


def check_payable(amount: int, *, currency: str) -> None:
    """Raise amount_too_small."""
    check_amount(amount, currency=currency)
    if amount < minimum_of(currency):
        message = f"Amount must be at least {shown(minimum_of(currency), currency)}"
        raise Refusal(message, code="amount_too_small", param="amount")


def shown(amount: int, currency: str) -> str:
    """Return an amount for people, with its currency's code."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    return f"{amount / 10**decimals:,.{decimals}f} {currency.upper()}"
