"""The policy: what a site declares about its cookies, as frozen data without any wire form."""

from __future__ import annotations

from dataclasses import dataclass, field

NECESSARY = "necessary"

# How long a choice is remembered. The CNIL's recommendation on cookies of 17 September 2020 calls
# six months good practice, for a yes and a no alike.
CHOICE_LIFETIME = 182 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One name pattern and what is said of the cookies it names.

    `name` is exact or holds `*`, the only wildcard. `duration` is the published text and
    `seconds` the same as a number (None: not said; 0: ends with the session); a longer life is
    shortened to it, unless `published_only`. `sliding` is False where a cookie that the browser
    holds is not set again. `domain`, `path` and `partitioned` are those with which the cookie is
    set, so that one line removes it.
    """

    name: str
    category: str
    provider: str = ""
    purpose: str = ""
    duration: str = ""
    seconds: int | None = None
    published_only: bool = False
    sliding: bool = True
    domain: str = ""
    path: str = ""
    partitioned: bool = False
    origin: str = "policy"  # or the framework whose default it is, or the app that was asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A purpose that is agreed to or refused as a whole; `always`: needs no consent.

    `secure`, `http_only` and `same_site` ("lax" or "strict") are the least that its cookies must
    ask of browsers: a cookie that asks for less is raised to them, none is lowered.
    """

    id: str
    title: str = ""
    description: str = ""
    always: bool = False
    rules: tuple[Rule, ...] = ()
    local_storage: tuple[str, ...] = ()
    session_storage: tuple[str, ...] = ()
    secure: bool = False
    http_only: bool = False
    same_site: str = ""

    @property
    def label(self) -> str:
        """The title, or the id made readable."""
        return self.title or self.id.replace("_", " ").replace("-", " ").capitalize()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything one TOML file says. Field names are the keys of the file."""

    version: str
    categories: tuple[Category, ...] = ()
    mode: str = "enforce"  # or "report"
    unknown: str = "block"  # or "allow"
    hide: bool = True
    expire_unknown: bool = False
    secret_env: str = "CONSENTGATE_SECRET"
    site: str = ""
    origins: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    prefix: str = "/_gate"
    cookie: str = "gate"
    domain: str = ""
    same_site: str = "lax"
    secure: bool = True
    mirror: str = "public.cookie.choice"
    clear_site_data: bool = False
    choice_lifetime: int = field(default=CHOICE_LIFETIME)  # seconds

    def category(self, id: str) -> Category | None:
        """Return the category with this id, or None."""
        return next((category for category in self.categories if category.id == id), None)

    @property
    def necessary(self) -> str:
        """The id of the category to which the frameworks' own cookies belong."""
        always = [category.id for category in self.categories if category.always]
        return NECESSARY if NECESSARY in always or not always else always[0]
