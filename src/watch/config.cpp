#include "watch/config.hpp"

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "base/result.hpp"
#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "watch/copies/limits.hpp"
#include "watch/limits.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/uri.hpp"

namespace meridian::watch {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "watch",
     .sentence = "The log store: it keeps the output of the application and of the workers of its "
                 "data center, and the lines of Meridian's own processes, for `meridian logs`; and "
                 "Prometheus and Alertmanager beside it. They run where the file has this table."},
    {.table = "watch",
     .key = "port",
     .sentence =
         "The port at which the agent hands over output and searches, for this host alone."},
    {.table = "watch",
     .key = "log_size",
     .sentence =
         "The bytes of all files of a data center's log store; the oldest lines are removed "
         "first."},
    {.table = "watch",
     .key = "prometheus_port",
     .sentence = "The port of Prometheus, on loopback and with a password; people reach it at "
                 "`/prometheus/` of the admin port."},
    {.table = "watch",
     .key = "alertmanager_port",
     .sentence = "The port of Alertmanager, on loopback and with a password; people reach it at "
                 "`/alertmanager/` of the admin port."},
    {.table = "watch",
     .key = "metrics_retention",
     .sentence = "How long Prometheus keeps metrics."},
    {.table = "watch",
     .key = "metrics_size",
     .sentence = "The bytes that Prometheus may take for them; the oldest are removed first."},
    {.table = "watch",
     .key = "webhook",
     .sentence = "The URL that gets notices of alerts, as Alertmanager's webhooks are; or `$NAME` "
                 "of the environment variable of the agent that holds it.",
     .fallback = "none"},
    {.table = "watch",
     .key = "slack",
     .sentence = "`$NAME` of the environment variable of the agent that holds the URL of an "
                 "incoming webhook of Slack, or of a program that takes the same.",
     .fallback = "none"},
    {.table = "watch",
     .key = "email",
     .sentence = "The addresses that get notices of alerts, separated by commas.",
     .fallback = "none"},
    {.table = "watch",
     .key = "email_from",
     .sentence = "The sender of these notices.",
     .fallback = "none: `email` needs it"},
    {.table = "watch",
     .key = "smtp",
     .sentence = "The host and port of the mail server that takes them.",
     .fallback = "none: `email` needs it",
     .limits = "`host:port`"},
    {.table = "watch",
     .key = "smtp_user",
     .sentence = "The user at the mail server.",
     .fallback = "none"},
    {.table = "watch",
     .key = "smtp_password",
     .sentence = "`$NAME` of the environment variable of the agent that holds the user's password.",
     .fallback = "none"},
    {.table = "watch",
     .key = "smtp_tls",
     .sentence = "Whether the mail server must offer TLS (STARTTLS)."},
    {.table = "watch",
     .key = "external",
     .sentence = "The URL of a Prometheus elsewhere, or `$NAME` of the environment variable that "
                 "holds it. Then Prometheus and Alertmanager do not run here, and `meridian watch "
                 "scrape-config` prints what that one needs; the log store runs all the same.",
     .fallback = "none",
     .limits = "a URL that begins with `http://` or `https://`"},
    {.table = "watch",
     .key = "copies_size",
     .sentence = "The bytes of the copy that a data center keeps of the lines of each other one; "
                 "the oldest lines are removed first."},
    {.table = "watch",
     .key = "access_log",
     .sentence = "Whether the log store also keeps the lines of the edge's access log, which "
                 "`access_log` of `[edge]` chooses."},
};

bool NamesVariable(std::string_view text) {
  return text.size() > 1 && text.front() == '$' &&
         !std::isdigit(static_cast<unsigned char>(text[1])) &&
         std::ranges::all_of(text.substr(1), [](unsigned char letter) {
           return std::isalnum(letter) || letter == '_';
         });
}

// The name of a variable with its '$'; empty: none, or an error was recorded.
std::string ReadVariable(site::TableReader& reader, std::string_view key) {
  if (!reader.Has(key)) return "";
  std::string text = reader.Text(key);
  if (text.empty() || NamesVariable(text)) return text;
  reader.Reject(key, fmt::format("\"{}\" is a secret, and this file is no place for one", key),
                "set it in the environment of Meridian and write \"$NAME\" of the variable here");
  return "";
}

std::string ReadWebhook(site::TableReader& reader) {
  if (!reader.Has("webhook")) return "";
  std::string text = reader.Text("webhook");
  if (text.empty() || NamesVariable(text)) return text;
  // The message must not contain the URL, which may hold a password.
  Result<wire::http::Url> url = wire::http::ParseUrl(text);
  if (url) return text;
  reader.Reject("webhook", "\"webhook\" must be a URL without a password, or \"$NAME\"",
                "expected one such as \"https://hooks.example/alerts\"");
  return "";
}

std::string ReadOptional(site::TableReader& reader, std::string_view key) {
  return reader.Has(key) ? reader.Text(key) : "";
}

Notices ReadNotices(site::TableReader& reader) {
  Notices notices{.webhook = ReadWebhook(reader), .slack = ReadVariable(reader, "slack")};
  notices.email = ReadOptional(reader, "email");
  notices.email_from = ReadOptional(reader, "email_from");
  notices.smtp = ReadOptional(reader, "smtp");
  notices.smtp_user = ReadOptional(reader, "smtp_user");
  notices.smtp_password = ReadVariable(reader, "smtp_password");
  notices.smtp_tls = reader.Boolean("smtp_tls", notices.smtp_tls);
  if (!notices.email.empty() && (notices.email_from.empty() || notices.smtp.empty())) {
    reader.Reject("email", "\"email\" needs \"email_from\" and \"smtp\"",
                  "name the sender, and the mail server as \"host:port\"");
  }
  auto server = wire::http::ParseAuthority(notices.smtp);
  if (!notices.smtp.empty() && (!server || !server->port)) {
    reader.Reject("smtp", "\"smtp\" must be the host and port of a mail server",
                  "expected one such as \"smtp.example:587\"");
  }
  return notices;
}

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.log_bytes = reader.Size(
      "log_size", {.min = kMinLogBytes, .max = kMaxLogBytes, .fallback = config.log_bytes});
  config.metrics_retention = reader.Duration(
      "metrics_retention",
      {.min = kMinRetention, .max = kMaxRetention, .fallback = config.metrics_retention});
  config.metrics_bytes = reader.Size(
      "metrics_size",
      {.min = kMinMetricsBytes, .max = kMaxMetricsBytes, .fallback = config.metrics_bytes});
  config.notices = ReadNotices(reader);
  config.copy_bytes = reader.Size(
      "copies_size", {.min = kMinCopyBytes, .max = kMaxCopyBytes, .fallback = config.copy_bytes});
  config.access_log = reader.Boolean("access_log", config.access_log);
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("watch", &Parse, kKeys); }

}  // namespace meridian::watch
