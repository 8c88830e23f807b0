"""Tokens that are known by their form: detect-secrets' patterns, and newer ones of our own.

The only module that knows detect-secrets: should it stop being kept, `token_patterns` is
what must be replaced. Its patterns are used; its scanning of files, its settings and its
verification, which asks the network, are not.
"""

import importlib
import re
from functools import cache

# Plugins whose patterns can be told from ordinary text. Left out: entropy, keywords, URLs,
# JWT and private keys, which detectors of ours find with their spans; npm, whose pattern
# takes whole lines.
_PLUGINS = {
    "artifactory": "ArtifactoryDetector",
    "aws": "AWSKeyDetector",
    "azure_storage_key": "AzureStorageKeyDetector",
    "cloudant": "CloudantDetector",
    "discord": "DiscordBotTokenDetector",
    "github_token": "GitHubTokenDetector",
    "gitlab_token": "GitLabTokenDetector",
    "ibm_cloud_iam": "IbmCloudIamDetector",
    "ibm_cos_hmac": "IbmCosHmacDetector",
    "mailchimp": "MailchimpDetector",
    "openai": "OpenAIDetector",
    "pypi_token": "PypiTokenDetector",
    "sendgrid": "SendGridDetector",
    "slack": "SlackDetector",
    "softlayer": "SoftlayerDetector",
    "square_oauth": "SquareOAuthDetector",
    "stripe": "StripeDetector",
    "telegram_token": "TelegramBotTokenDetector",
    "twilio": "TwilioKeyDetector",
}

# Forms that the issuers document and that are newer than detect-secrets 1.5.0 (May 2024).
_NEWER = (
    r"AIza[\w-]{35}",  # Google
    r"ya29\.[\w-]{20,}",  # Google, OAuth
    r"GOCSPX-[\w-]{28}",  # Google, OAuth client
    r"github_pat_\w{22}_\w{59}",
    r"sk-(?:proj|svcacct|admin)-[\w-]{20,}",  # OpenAI
    r"sk-[A-Za-z0-9]{48}",  # OpenAI, of old
    r"sk-ant-[\w-]{20,}",  # Anthropic
    r"hf_[A-Za-z]{34}",  # Hugging Face
    r"npm_[A-Za-z0-9]{36}",
    r"dop_v1_[a-f0-9]{64}",  # DigitalOcean
    r"dapi[a-f0-9]{32}(?:-\d)?",  # Databricks
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",  # Shopify
    r"xox[abeoprs]-[\w-]{10,}",  # Slack
    r"xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+",  # Slack
    r"https://discord(?:app)?\.com/api/webhooks/\d+/[\w-]+",
    r"https://[\w-]+\.webhook\.office\.com/webhookb2/[\w@/-]+",
    r"[rs]k_(?:live|test)_[0-9a-zA-Z]{24,}",  # Stripe
    r"whsec_[A-Za-z0-9]{32}",  # Stripe
    r"glpat-[\w-]{20,}",
    r"NRAK-[A-Z0-9]{27}",  # New Relic
    r"sntrys_[\w=+/.-]{40,}",  # Sentry
    r"lin_api_[A-Za-z0-9]{40}",  # Linear
    r"PMAK-[a-f0-9]{24}-[a-f0-9]{34}",  # Postman
    r"key-[0-9a-f]{32}",  # Mailgun
    r"hvs\.[\w-]{24,}",  # Vault
    r"sq0[a-z]{3}-[\w-]{22,43}",  # Square
    r"EAAA[\w-]{60}",  # Square
    r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
    r"(?:ASIA|AKIA|ABIA|ACCA)[A-Z2-7]{16}",  # AWS
)


@cache
def token_patterns() -> tuple[re.Pattern[str], ...]:
    """Return the patterns of all known tokens."""
    theirs = []
    for module, name in _PLUGINS.items():
        plugin = getattr(importlib.import_module(f"detect_secrets.plugins.{module}"), name)
        theirs += list(plugin().denylist)
    ours = re.compile(rf"(?<![\w-])(?:{'|'.join(_NEWER)})(?![\w-])")
    return (*theirs, ours)
