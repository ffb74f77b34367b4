"""What the signs and codes of money are called: one of it, more than one, one part of it, more parts."""

from __future__ import annotations

_Names = tuple[str, str, str, str]


def _money(one: str, many: str, part: str = "cent", parts: str = "") -> _Names:
    return one, many, part, parts or part + "s"


def _same(name: str, part: str = "cent", parts: str = "") -> _Names:
    return _money(name, name, part, parts)


def _dollar(land: str) -> _Names:
    return _money(f"{land} dollar", f"{land} dollars")


_KRONE = _money("krone", "kroner", "øre", "øre")
_ZLOTY = _money("zloty", "zlotys", "grosz", "groszy")
_FRANC = _money("Swiss franc", "Swiss francs", "centime")
_RUPEE = _money("rupee", "rupees", "paisa", "paise")
_RUBLE = _money("ruble", "rubles", "kopek")
_REAL = _money("real", "reais", "centavo")
_YEN = _same("yen", "sen", "sen")
_YUAN = _same("yuan", "fen", "fen")
_WON = _same("won", "jeon", "jeon")
_EURO = _money("euro", "euros")
_CROWN = _money("crown", "crowns", "haler")

BEFORE = {
    "$": _money("dollar", "dollars"),
    "US$": _dollar("US"),
    "A$": _dollar("Australian"),
    "AU$": _dollar("Australian"),
    "C$": _dollar("Canadian"),
    "CA$": _dollar("Canadian"),
    "NZ$": _dollar("New Zealand"),
    "HK$": _dollar("Hong Kong"),
    "S$": _dollar("Singapore"),
    "NT$": _dollar("Taiwan"),
    "MX$": _money("Mexican peso", "Mexican pesos", "centavo"),
    "R$": _REAL,
    "€": _EURO,
    "£": _money("pound", "pounds", "penny", "pence"),
    "¥": _YEN,
    "₹": _RUPEE,
    "Rs": _RUPEE,
    "₩": _WON,
    "₽": _RUBLE,
    "₺": _same("lira", "kurush", "kurush"),
    "฿": _same("baht", "satang", "satang"),
    "₫": _same("dong"),
    "₴": _money("hryvnia", "hryvnias", "kopiyka"),
    "₪": _money("shekel", "shekels", "agora", "agorot"),
    "₦": _same("naira", "kobo", "kobo"),
    "₱": _money("peso", "pesos", "centavo"),
    "₵": _money("cedi", "cedis", "pesewa"),
    "₡": _money("colon", "colones", "centimo"),
    "₲": _money("guarani", "guaranies", "centimo"),
    "₸": _same("tenge"),
    "₾": _same("lari"),
    "₼": _same("manat"),
    "₿": _money("bitcoin", "bitcoins"),
    "kr": _KRONE,
    "Rp": _same("rupiah"),
    "RM": _same("ringgit", "sen", "sen"),
}
"""Signs that stand before the figures."""

CODES = {
    "USD": _dollar("US"),
    "EUR": _EURO,
    "GBP": _money("British pound", "British pounds", "penny", "pence"),
    "JPY": _YEN,
    "CNY": _YUAN,
    "RMB": _YUAN,
    "KRW": _WON,
    "INR": _RUPEE,
    "AUD": _dollar("Australian"),
    "CAD": _dollar("Canadian"),
    "NZD": _dollar("New Zealand"),
    "HKD": _dollar("Hong Kong"),
    "SGD": _dollar("Singapore"),
    "CHF": _FRANC,
    "SEK": _money("Swedish krona", "Swedish kronor", "öre", "öre"),
    "NOK": _money("Norwegian krone", "Norwegian kroner", "øre", "øre"),
    "DKK": _money("Danish krone", "Danish kroner", "øre", "øre"),
    "PLN": _ZLOTY,
    "CZK": _money("Czech crown", "Czech crowns", "haler"),
    "HUF": _money("forint", "forints", "filler"),
    "RUB": _RUBLE,
    "UAH": _money("hryvnia", "hryvnias", "kopiyka"),
    "TRY": _same("lira", "kurush", "kurush"),
    "BRL": _REAL,
    "MXN": _money("Mexican peso", "Mexican pesos", "centavo"),
    "ZAR": _same("rand"),
    "ILS": _money("shekel", "shekels", "agora", "agorot"),
    "THB": _same("baht", "satang", "satang"),
    "VND": _same("dong"),
    "PHP": _money("peso", "pesos", "centavo"),
    "IDR": _same("rupiah"),
    "MYR": _same("ringgit", "sen", "sen"),
    "AED": _money("dirham", "dirhams", "fils", "fils"),
    "BTC": _money("bitcoin", "bitcoins"),
}
"""Codes, before the figures or behind them."""

BEHIND = (
    {sign: names for sign, names in BEFORE.items() if not sign[0].isalpha()}
    | CODES
    | {
        "kr": _KRONE,
        "Kr": _KRONE,
        "zł": _ZLOTY,
        "Kč": _CROWN,
        "Ft": _money("forint", "forints", "filler"),
        "lei": _money("leu", "lei", "ban", "bani"),
        "лв": _money("lev", "leva", "stotinka", "stotinki"),
        "руб": _RUBLE,
        "元": _YUAN,
        "円": _YEN,
        "원": _WON,
        "US$": _dollar("US"),
        "Fr": _FRANC,
        "¢": _money("cent", "cents"),
    }
)
"""Signs and codes that stand behind the figures."""

DOTS_GROUP = {"€", "EUR", "R$", "BRL", "₺", "TRY", "₫", "VND", "kr", "DKK", "Rp", "IDR", "₽", "RUB"}
"""Money of lands where 1.234 is a thousand and more."""

SCALES = {"k": "thousand", "m": "million", "mn": "million", "mio": "million", "b": "billion", "bn": "billion"}
SCALES |= {"mrd": "billion", "t": "trillion", "tn": "trillion", "cr": "crore"}
