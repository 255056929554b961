#include "agent/engines/alertmanager_config.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "agent/engines/engine_access.hpp"
#include "agent/engines/engine_text.hpp"
#include "agent/engines/prometheus_config.hpp"
#include "watch/config.hpp"
#include "wire/http/uri.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {
namespace {

using wire::json::Writer;

constexpr std::string_view kNobody = "nobody";
constexpr std::string_view kReceiver = "notices";
// The first notice waits for others of its group; later ones, and the end, come in their interval.
constexpr std::string_view kGroupWait = "1s";
constexpr std::string_view kGroupInterval = "15s";
constexpr std::string_view kRepeatInterval = "4h";
constexpr int kMaxAlertsOfWebhook = 100;

bool AnyReceiver(const watch::Notices& notices) {
  return !notices.webhook.empty() || !notices.slack.empty() || !notices.email.empty();
}

bool HasStrayPercent(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdefABCDEF";
  for (size_t at = text.find('%'); at != text.npos; at = text.find('%', at + 1)) {
    const std::string_view digits = text.substr(at + 1, 2);
    if (digits.size() != 2 || digits.find_first_not_of(kDigits) != digits.npos) return true;
  }
  return false;
}

// Alertmanager refuses its whole configuration because of a URL that Go does not take. Unlike one
// of site.toml, the URL may have a user and a password.
bool IsUrl(std::string_view text) {
  // RFC 3986, userinfo.
  constexpr std::string_view kInUserinfo = "-._~!$&'()*+,;=:%";
  constexpr std::string_view kAfterScheme = "://";
  if (HasStrayPercent(text)) return false;
  std::string without_user(text);
  const size_t begin = text.find(kAfterScheme);
  if (begin == text.npos) return false;
  const std::string_view rest = text.substr(begin + kAfterScheme.size());
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (const size_t at = authority.rfind('@'); at != authority.npos) {
    const bool valid = std::ranges::all_of(authority.substr(0, at), [&](unsigned char letter) {
      return std::isalnum(letter) != 0 || kInUserinfo.contains(static_cast<char>(letter));
    });
    if (!valid) return false;
    without_user.erase(begin + kAfterScheme.size(), at + 1);
  }
  return wire::http::ParseUrl(without_user).has_value();
}

// `*text`, the name of a variable with its '$', becomes the value; empty where that is missing,
// which `resolved->problem` then tells.
void Resolve(std::string_view key, FindVariable variable, std::string* text,
             ResolvedNotices* resolved) {
  const std::string name = text->substr(1);
  *text = variable(name).value_or("");
  if (!text->empty()) {
    resolved->secrets.push_back(*text);
    return;
  }
  resolved->problem +=
      fmt::format("{}[watch] {} needs the environment variable {}, which is not set",
                  resolved->problem.empty() ? "" : "; ", key, name);
}

// A URL of site.toml was looked at when that was read.
void ResolveUrl(std::string_view key, FindVariable variable, std::string* url,
                ResolvedNotices* resolved) {
  if (!url->starts_with('$')) return;
  Resolve(key, variable, url, resolved);
  if (url->empty() || IsUrl(*url)) return;
  url->clear();  // not shown: it may hold a password
  resolved->problem += fmt::format("{}the environment variable of [watch] {} holds no URL",
                                   resolved->problem.empty() ? "" : "; ", key);
}

void WriteWebhook(Writer& writer, const std::string& url) {
  if (url.empty()) return;
  writer.BeginArray("webhook_configs");
  writer.BeginObject();
  writer.Member("url", url);
  writer.Member("send_resolved", true);
  writer.Member("max_alerts", kMaxAlertsOfWebhook);
  writer.EndObject();
  writer.EndArray();
}

void WriteSlack(Writer& writer, const std::string& url) {
  if (url.empty()) return;
  writer.BeginArray("slack_configs");
  writer.BeginObject();
  writer.Member("api_url", url);
  writer.Member("send_resolved", true);
  writer.Member("title",
                "[{{ .Status }}] {{ .CommonLabels.site }}: {{ .CommonLabels.alertname }} "
                "{{ with .CommonLabels.datacenter }}{{ . }}{{ else }}{{ .CommonLabels.dc }}"
                "{{ end }}");
  writer.Member("text",
                "{{ range .Alerts }}{{ .Annotations.summary }}\n"
                "{{ with .Annotations.description }}{{ . }}\n{{ end }}"
                "{{ with .Annotations.runbook }}See {{ . }}\n{{ end }}{{ end }}");
  writer.EndObject();
  writer.EndArray();
}

void WriteEmail(Writer& writer, const watch::Notices& notices) {
  if (notices.email.empty()) return;
  writer.BeginArray("email_configs");
  writer.BeginObject();
  writer.Member("to", notices.email);
  writer.Member("from", notices.email_from);
  writer.Member("smarthost", notices.smtp);
  writer.Member("require_tls", notices.smtp_tls);
  writer.Member("send_resolved", true);
  if (!notices.smtp_user.empty()) writer.Member("auth_username", notices.smtp_user);
  if (!notices.smtp_password.empty()) writer.Member("auth_password", notices.smtp_password);
  writer.EndObject();
  writer.EndArray();
}

void WriteRoute(Writer& writer, bool any, bool owns_site_notices) {
  writer.BeginObject("route");
  writer.Member("receiver", any ? kReceiver : kNobody);
  writer.BeginArray("group_by");
  writer.Element("alertname");
  writer.Element("dc");
  writer.EndArray();
  writer.Member("group_wait", kGroupWait);
  writer.Member("group_interval", kGroupInterval);
  writer.Member("repeat_interval", kRepeatInterval);
  writer.BeginArray("routes");
  if (!owns_site_notices) {
    writer.BeginObject();
    writer.BeginArray("matchers");
    writer.Element("scope=\"site\"");
    writer.EndArray();
    writer.Member("receiver", kNobody);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
}

}  // namespace

ResolvedNotices ResolveNotices(const watch::Notices& notices, FindVariable variable) {
  ResolvedNotices resolved{.notices = notices, .problem = ""};
  watch::Notices& found = resolved.notices;
  ResolveUrl("webhook", variable, &found.webhook, &resolved);
  ResolveUrl("slack", variable, &found.slack, &resolved);
  const size_t before = resolved.problem.size();
  if (!found.email.empty() && found.smtp_password.starts_with('$')) {
    Resolve("smtp_password", variable, &found.smtp_password, &resolved);
  }
  if (resolved.problem.size() != before) found.email.clear();
  if (!resolved.problem.empty()) resolved.problem += ": no notices go there";
  return resolved;
}

std::string AlertmanagerConfig(const watch::Notices& notices, bool owns_site_notices) {
  const bool any = AnyReceiver(notices);
  Writer writer({.indent = kEngineTextIndent});
  writer.BeginObject();
  WriteRoute(writer, any, owns_site_notices);
  writer.BeginArray("receivers");
  writer.BeginObject();
  writer.Member("name", kNobody);
  writer.EndObject();
  if (any) {
    writer.BeginObject();
    writer.Member("name", kReceiver);
    WriteWebhook(writer, notices.webhook);
    WriteSlack(writer, notices.slack);
    WriteEmail(writer, notices);
    writer.EndObject();
  }
  writer.EndArray();
  writer.EndObject();
  return EngineText(kEngineComment, writer.Take());
}

// Without an address of its cluster it gossips with nobody: each data center notifies for itself.
std::vector<std::string> AlertmanagerArguments(const EnginePlace& place) {
  return {"--config.file=" + place.files.config("alertmanager").string(),
          "--storage.path=" + place.files.data("alertmanager").string(),
          "--web.listen-address=" + AlertmanagerEndpoint(place).ToString(),
          "--web.config.file=" + place.files.web_config("alertmanager").string(),
          "--web.external-url=" + EngineUrl(place, kAlertmanagerPath),
          fmt::format("--web.route-prefix={}", kAlertmanagerPath),
          "--web.get-concurrency=32",
          "--cluster.listen-address=",
          "--log.format=json"};
}

}  // namespace meridian::agent
