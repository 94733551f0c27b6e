"""The policy: what a site declares about its cookies, as frozen data without any wire form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NECESSARY = "necessary"
OPT_IN, OPT_OUT = "opt-in", "opt-out"

# How long a yes is valid, and a no is not asked about again. The CNIL's recommendation on cookies
# of 17 September 2020 calls six months good practice, for a yes and a no alike.
CHOICE_LIFETIME = 182 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One name pattern and what is said of the cookies it names.

    `name` is exact or holds `*`, the only wildcard. `duration` is the published text and
    `seconds` the same as a number (None: not said; 0: ends with the session); a longer life is
    shortened to it, unless `published_only`. `sliding` is False where a cookie that the browser
    holds is not set again. `domain`, `path` and `partitioned` are those with which the cookie is
    set, so that one line removes it. `recipients` are those who get to read what it holds. `party`
    is "first" or "third"; without it, whoever is not the controller is a third party.
    """

    name: str
    category: str
    provider: str = ""
    purpose: str = ""
    duration: str = ""
    party: str = ""
    recipients: tuple[str, ...] = ()
    seconds: int | None = None
    published_only: bool = False
    sliding: bool = True
    domain: str = ""
    path: str = ""
    partitioned: bool = False
    origin: str = "policy"  # or the framework whose default it is, or the app that was asked
    flow: str = ""  # the paths on which it is strictly necessary, where it holds only there


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why a category needs no consent in the regions whose law has such an exemption.

    `kind` is "audience-measurement", "statistical" or "appearance". `objection` is the path or
    address where a visitor can object, `data_kept` how long what was measured is kept ("25
    months"); both are conditions that laws set, and are checked at load.
    """

    kind: str = ""
    objection: str = ""
    data_kept: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """A purpose that is agreed to or refused as a whole; `always`: needs no consent.

    `sale_or_sharing`: what Global Privacy Control and a "do not sell or share" are about.
    `honours` are earlier revisions (four hexadecimal digits each) a yes to which is still valid.
    `secure`, `http_only` and `same_site` ("lax" or "strict") are the least that its cookies must
    ask of browsers: a cookie that asks for less is raised to them, none is lowered. `sources` are
    the third parties whose code and content belong to it, as a Content-Security-Policy names them.
    What scripts store beside cookies is named alone, or by a rule, where more is told of it.
    """

    id: str
    title: str = ""
    description: str = ""
    always: bool = False
    rules: tuple[Rule, ...] = ()
    local_storage: tuple[str | Rule, ...] = ()
    session_storage: tuple[str | Rule, ...] = ()
    indexed_db: tuple[str | Rule, ...] = ()
    cache_storage: tuple[str | Rule, ...] = ()
    sources: tuple[str, ...] = ()
    secure: bool = False
    http_only: bool = False
    same_site: str = ""
    sale_or_sharing: bool = False
    honours: tuple[str, ...] = ()
    exemption: Exemption | None = None

    @property
    def label(self) -> str:
        """The title, or the id made readable."""
        return self.title or self.id.replace("_", " ").replace("-", " ").capitalize()

    @property
    def shares(self) -> bool:
        """Whether somebody is named who gets to read what is stored."""
        return any(rule.recipients for rule in (*self.rules, *(one for _, one in self.stored)))

    def kept_in(self, kind: str) -> tuple[Rule, ...]:
        """Return what is told of everything that scripts store in one kind of STORAGE."""
        entries: tuple[str | Rule, ...] = getattr(self, kind)
        return tuple(
            Rule(name=one, category=self.id) if isinstance(one, str) else one for one in entries
        )

    def names_in(self, kind: str) -> tuple[str, ...]:
        """Return the names and patterns of what scripts store in one kind of STORAGE."""
        return tuple(rule.name for rule in self.kept_in(kind))

    @property
    def stored(self) -> tuple[tuple[str, Rule], ...]:
        """What scripts store beside cookies: the kind of each, and what is told of it."""
        return tuple((kind, rule) for kind in STORAGE for rule in self.kept_in(kind))


# What scripts store in, beside cookies, by the fields of a category.
STORAGE = ("local_storage", "session_storage", "indexed_db", "cache_storage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """Who decides over the data: GDPR article 13(1)(a) wants the name, and how to get in touch."""

    name: str = ""
    address: str = ""
    contact: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the law asks for in some places (ISO 3166 codes: "FR", "US-CA").

    `regime` is "opt-in" (nothing optional before a yes) or "opt-out" (until the visitor objects).
    It `rests_on` a "statute", on "guidance" of an authority, or on "caution" of ours, as `article`
    says, read in `source` on the day `read`. `exemptions` are the kinds that its law knows.
    """

    name: str = ""
    places: tuple[str, ...] = ()
    regime: str = OPT_IN
    rests_on: str = ""
    article: str = ""
    source: str = ""
    read: str = ""
    exemptions: tuple[str, ...] = ()
    built_in: bool = False  # comes with the package


@dataclass(frozen=True, slots=True, kw_only=True)
class Regions:
    """How to know where a visitor is, and what follows.

    `country` and `subdivision` name the header fields that a proxy of the site sets. Or `database`
    is a MaxMind file, and `address` the header field with the visitor's address (by default it is
    the connection's).
    """

    country: str = ""
    subdivision: str = ""
    database: str = ""
    address: str = ""
    profiles: tuple[Profile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpc:
    """What Global Privacy Control means here (https://www.w3.org/TR/gpc/).

    Everywhere it opts out of the categories marked `sale_or_sharing`. `opt_in` says what else in
    opt-in regions: "refuse" (a no to all that was not granted) or "sale" (nothing else). `updated`
    is the day of the site's statement at /.well-known/gpc.json ("": none). `dnt`: DNT: 1 counts
    as well.
    """

    opt_in: str = "refuse"
    updated: str = ""
    dnt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """Paths on which cookies are strictly necessary that elsewhere are not: a checkout, say.

    `cookies` are name patterns, `sources` the origins of third parties needed there. Elsewhere
    they are only hidden, and removed only where `expire_on_leave`.
    """

    paths: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    expire_on_leave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """How the choice is put. `buttons`: those of the first layer, in their order."""

    buttons: tuple[str, ...] = ("accept", "reject", "settings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """How the gate's own pages look. `language`: in which the policy's own texts are written.

    `templates` is a folder whose files stand in for the built-in templates of the same names.
    """

    language: str = "en"
    templates: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Csp:
    """What browsers are told of third parties (https://www.w3.org/TR/CSP3/): "off", "report", or
    "enforce", which lets in only the `sources` of what is allowed. `report_uri` gets the reports.
    """

    mode: str = "off"
    report_uri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentMode:
    """How the tags of `vendors` are told what is allowed: "google" (Consent Mode v2), "microsoft"
    (UET), "clarity", "matomo", "meta". `mode`: "basic", in which a tag loads only when it is
    allowed, or "advanced", in which it loads at once and is told that it is denied.

    All others name the category that one of Google's signals follows.
    """

    mode: str = "basic"
    vendors: tuple[str, ...] = ("google",)
    ad_storage: str = "marketing"
    ad_user_data: str = "marketing"
    ad_personalization: str = "marketing"
    analytics_storage: str = "analytics"
    functionality_storage: str = "preferences"
    personalization_storage: str = "preferences"
    security_storage: str = "necessary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What changed with a version of the policy, on a day ("2026-11-01"), for visitors to read."""

    version: str = ""
    date: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything one TOML file says. Field names are the keys of the file.

    `accepted_for` is how long a yes is valid, `refused_for` how long a no is not asked about
    again, in seconds. `strict`: what visitors must be told and are not is an error. `texts` holds,
    by language ("de", "pt-br") and table, what visitors read in place of the built-in texts, and
    the policy's own texts in other languages. `changes` are the versions, the newest first.
    `guard`: what becomes of what scripts store that is not allowed; `unknown_storage`: of keys that
    no category names.
    """

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
    accepted_for: int = CHOICE_LIFETIME
    refused_for: int = CHOICE_LIFETIME
    strict: bool = False
    controller: Controller | None = None
    regions: Regions | None = None
    gpc: Gpc = Gpc()
    flows: tuple[Flow, ...] = ()
    banner: Banner = Banner()
    pages: Pages = Pages()
    csp: Csp = Csp()
    guard: str = "block"  # or "report" or "off"
    unknown_storage: str = "report"  # or "block" or "allow"
    consent_mode: ConsentMode | None = None
    texts: Mapping[str, object] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()

    def category(self, id: str) -> Category | None:
        """Return the category with this id, or None."""
        return next((category for category in self.categories if category.id == id), None)

    @property
    def necessary(self) -> str:
        """The id of the category to which the frameworks' own cookies belong."""
        always = [category.id for category in self.categories if category.always]
        return NECESSARY if NECESSARY in always or not always else always[0]
