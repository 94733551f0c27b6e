"""The policy file that the documents show, and what it means."""

from __future__ import annotations

from pathlib import Path

from consentgate import Category, ConfigError, Policy, Rule, load_policy

GOOD_KEY = "0vXo9-lk3jQ5Tn2b8Rw7yZ1uC4dF6hGs"
ENVIRON = {"CONSENTGATE_SECRET": GOOD_KEY}

EXAMPLE = """\
version = "2026-11"            # shown, and recorded with every choice
mode = "enforce"               # or "report": change nothing, log what would have been done
unknown = "block"              # or "allow": a cookie that no rule names

[consent]
secret_env = "CONSENTGATE_SECRET"   # the variable with the signing key, 32 bytes or more
site = "https://shop.example"       # optional: the public address
origins = []                   # other origins of ours whose pages may read the state and choose
exclude = ["/webhooks/*"]      # paths never gated: machines, native clients
prefix = "/_gate"
cookie = "gate"                # sent as __Host-gate when secure and without a domain
domain = ""                    # share one choice among sub-domains
same_site = "lax"
secure = true
mirror = "public.cookie.choice"     # localStorage key under which the browser keeps the choice

[categories.necessary]
always = true                  # needs no consent
title = "Strictly necessary"
description = "Keep you signed in and forms safe."
cookies = ["sessionid", "csrftoken"]

[categories.analytics]
title = "Analytics"
description = "Help us see which pages are used."
cookies = ["_gid", { name = "_ga*", provider = "Google", purpose = "Tells visitors apart", \
duration = "13 months" }]
local_storage = ["ajs_*"]
session_storage = []

[[cookies]]                    # the same facts in long form, where a line would be too long
name = "_fbp"
category = "marketing"
provider = "Meta"
purpose = "Recognises browsers for advertising"
duration = "90 days"
"""

EXAMPLE_POLICY = Policy(
    version="2026-11",
    mode="enforce",
    unknown="block",
    secret_env="CONSENTGATE_SECRET",
    site="https://shop.example",
    origins=(),
    exclude=("/webhooks/*",),
    prefix="/_gate",
    cookie="gate",
    domain="",
    same_site="lax",
    secure=True,
    mirror="public.cookie.choice",
    categories=(
        Category(
            id="necessary",
            always=True,
            title="Strictly necessary",
            description="Keep you signed in and forms safe.",
            rules=(
                Rule(name="sessionid", category="necessary"),
                Rule(name="csrftoken", category="necessary"),
            ),
        ),
        Category(
            id="analytics",
            title="Analytics",
            description="Help us see which pages are used.",
            rules=(
                Rule(name="_gid", category="analytics"),
                Rule(
                    name="_ga*",
                    category="analytics",
                    provider="Google",
                    purpose="Tells visitors apart",
                    duration="13 months",
                    seconds=34_164_000,
                ),
            ),
            local_storage=("ajs_*",),
        ),
        Category(
            id="marketing",
            rules=(
                Rule(
                    name="_fbp",
                    category="marketing",
                    provider="Meta",
                    purpose="Recognises browsers for advertising",
                    duration="90 days",
                    seconds=7_776_000,
                ),
            ),
        ),
    ),
)

# The same, with every key that the example leaves out or at an empty list, and all told that
# visitors must be told. It is good where there is a folder gate_templates beside it.
FULL = (
    EXAMPLE.replace("origins = []", 'origins = ["https://app.example"]')
    .replace(
        "\n\n[consent]",
        '\nguard = "block"\nunknown_storage = "report"\nhide = true\nexpire_unknown = true'
        "\nstrict = true\n\n[consent]",
    )
    .replace(
        "\n\n[categories.necessary]",
        """
clear_site_data = true
accepted_for = "90 days"
refused_for = "1 year"

[controller]
name = "Shop Ltd"
address = "1 Market Street, London"
contact = "privacy@shop.example"
url = "https://shop.example/about"

[regions]
country = "CF-IPCountry"
subdivision = "CF-Region-Code"
database = "/var/lib/geo/country.mmdb"
address = "X-Real-IP"

[[regions.profiles]]
name = "Atlantis"
places = ["AA", "US-CA"]
regime = "opt-in"
rests_on = "caution"
article = "nothing was found"
source = "https://shop.example/law"
read = 2026-11-24
exemptions = ["audience-measurement"]

[gpc]
opt_in = "sale"
updated = "2026-11-24"
dnt = true

[banner]
buttons = ["reject", "accept", "settings"]

[pages]
language = "en"
templates = "gate_templates"

[csp]
mode = "enforce"
report_uri = "/reports"

[consent_mode]
mode = "basic"
vendors = ["google", "microsoft", "clarity", "matomo", "meta"]
ad_storage = "marketing"
ad_user_data = "marketing"
ad_personalization = "marketing"
analytics_storage = "analytics"
functionality_storage = "necessary"
personalization_storage = "visits"
security_storage = "necessary"

[texts.de]
direction = "ltr"

[texts.de.banner]
title = "Ihre Privatsphäre"

[texts.de.categories.analytics]
title = "Statistik"
description = "Zeigt uns, welche Seiten besucht werden."

[texts.de.cookies]
"_ga*" = "Unterscheidet Besucher"

[texts.de.changes]
2026-11 = "Statistik kam dazu."

[[changes]]
version = "2026-11"
date = 2026-11-01
text = "Analytics was added."

[[flows]]
paths = ["/checkout*"]
cookies = ["__pay_mid"]
sources = ["https://*.pay.example"]
expire_on_leave = true

[categories.necessary]""",
    )
    .replace('["_gid", ', "[")
    .replace('"csrftoken"]', '"csrftoken"]\nsources = ["https://cdn.example"]')
    .replace(
        "session_storage = []",
        """session_storage = ["tab_*"]
indexed_db = ["stats-*"]
cache_storage = ["stats"]
sources = ["https://stats.example", "https://*.stats.example/collect/"]

[categories.visits]
description = "Count visits, without following anybody."
exemption = { kind = "audience-measurement", objection = "/privacy", data_kept = "25 months" }
cookies = [{ name = "visit", provider = "Us", purpose = "Counts visits", \
duration = "13 months", sliding = false }]
sources = ["'self'"]

[categories.marketing]
description = "Show you what may interest you."
secure = true
http_only = true
same_site = "strict"
sale_or_sharing = true
honours = ["3f0a"]
sources = ["ads.example:443", "ads-app:"]""",
    )
    + 'party = "third"\nrecipients = ["Meta", "Partners of Meta"]\n'
    + 'sliding = false\ndomain = "shop.example"\npath = "/shop"\npartitioned = true\n'
)


def beside_templates(folder: Path) -> Path:
    """Return where to write the full example, so that its folder of templates is beside it."""
    (folder / "gate_templates").mkdir(exist_ok=True)
    return folder / "consentgate.toml"


def load(folder: Path, content: str | bytes) -> Policy:
    """Return the policy of a file with this content."""
    path = folder / "consentgate.toml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return load_policy(path)


def refusal(folder: Path, content: str | bytes) -> str:
    """Return the whole text of the ConfigError for a file with this content, without its folder."""
    try:
        load(folder, content)
    except ConfigError as error:
        return str(error).replace(str(folder / "consentgate.toml"), "consentgate.toml")
    raise AssertionError("the file was accepted")
