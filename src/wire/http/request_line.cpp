#include "wire/http/request_line.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/limits.hpp"
#include "wire/http/message.hpp"
#include "wire/http/parse_error.hpp"

namespace meridian::wire::http {
namespace {

constexpr std::string_view kRootPath = "/";
constexpr std::string_view kAsterisk = "*";
constexpr uint16_t kHttpPort = 80;

bool IsPath(std::string_view path) {
  for (size_t i = 0; i < path.size(); ++i) {
    if (Is(path[i], kPathChar)) continue;
    if (path[i] != '%' || path.size() - i < 3) return false;
    if (!Is(path[i + 1], kHexDigit) || !Is(path[i + 2], kHexDigit)) return false;
    i += 2;
  }
  return true;
}

std::optional<ParseError> ParsePathAndQuery(std::string_view text, RequestHead* head) {
  size_t question = text.find('?');
  head->path = text.substr(0, question);
  if (question != std::string_view::npos) head->query = text.substr(question + 1);
  if (!IsPath(head->path)) return ParseError::kBadTarget;
  if (head->query && !All(*head->query, kQueryChar)) return ParseError::kBadTarget;
  return std::nullopt;
}

// The size of "http://" or "https://" at the front of `target`, or 0.
size_t SchemeSize(std::string_view target) {
  for (std::string_view scheme : {std::string_view{"http://"}, std::string_view{"https://"}}) {
    if (EqualsIgnoreCase(target.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

std::optional<ParseError> ParseAbsoluteForm(std::string_view target, RequestHead* head) {
  size_t scheme_size = SchemeSize(target);
  if (scheme_size == 0) return ParseError::kBadTarget;
  head->form = TargetForm::kAbsolute;
  std::string_view rest = target.substr(scheme_size);
  size_t authority_size = rest.find_first_of("/?");
  head->authority = rest.substr(0, authority_size);
  if (!ParseAuthority(head->authority)) return ParseError::kBadTarget;
  rest.remove_prefix(head->authority.size());
  if (auto error = ParsePathAndQuery(rest, head)) return error;
  if (head->path.empty()) {
    // RFC 9110 4.2.3, and for OPTIONS RFC 9112 3.2.4.
    head->path = head->method == "OPTIONS" && !head->query ? kAsterisk : kRootPath;
  }
  return std::nullopt;
}

std::optional<ParseError> ParseTarget(RequestHead* head) {
  std::string_view target = head->target;
  if (head->method == "CONNECT") {
    std::optional<Authority> authority = ParseAuthority(target);
    if (!authority || !authority->port) return ParseError::kTargetFormForMethod;
    head->form = TargetForm::kAuthority;
    head->authority = target;
    return std::nullopt;
  }
  if (target.starts_with('/')) {
    head->form = TargetForm::kOrigin;
    return ParsePathAndQuery(target, head);
  }
  if (target == kAsterisk) {
    if (head->method != "OPTIONS") return ParseError::kTargetFormForMethod;
    head->form = TargetForm::kAsterisk;
    head->path = target;
    return std::nullopt;
  }
  return ParseAbsoluteForm(target, head);
}

}  // namespace

std::optional<ParseError> ParseVersion(std::string_view text, int* minor_version) {
  bool well_formed = text.size() == 8 && text.starts_with("HTTP/") && IsDigit(text[5]) &&
                     text[6] == '.' && IsDigit(text[7]);
  if (!well_formed) return ParseError::kBadVersion;
  if (text[5] != '1') return ParseError::kUnsupportedVersion;
  *minor_version = text[7] == '0' ? 0 : 1;
  return std::nullopt;
}

std::optional<ParseError> ParseRequestLine(std::string_view line, RequestHead* head) {
  if (!line.ends_with("\r\n")) return ParseError::kBareLf;
  line.remove_suffix(2);
  size_t method_size = line.find(' ');
  head->method = line.substr(0, method_size);
  if (!IsToken(head->method)) return ParseError::kBadMethod;
  if (head->method.size() > kMaxMethodBytes) return ParseError::kMethodTooLong;
  if (method_size == std::string_view::npos) return ParseError::kBadTarget;
  line.remove_prefix(method_size + 1);

  size_t target_size = line.find(' ');
  head->target = line.substr(0, target_size);
  if (head->target.empty()) return ParseError::kBadTarget;
  if (target_size == std::string_view::npos) return ParseError::kBadVersion;
  if (auto error = ParseVersion(line.substr(target_size + 1), &head->minor_version)) return error;
  return ParseTarget(head);
}

std::optional<ParseError> CheckHost(RequestHead* head) {
  std::optional<std::string_view> value;
  for (const HeaderField& field : head->fields) {
    if (!EqualsIgnoreCase(field.name, "host")) continue;
    if (value) return ParseError::kRepeatedHost;
    value = field.value;
  }
  if (!value) {
    return head->minor_version == 1 ? std::optional(ParseError::kMissingHost) : std::nullopt;
  }
  std::optional<Authority> host = ParseAuthority(*value);
  if (!host) return ParseError::kBadHost;
  if (head->authority.empty()) {
    head->authority = *value;
    return std::nullopt;
  }
  // RFC 9112 3.2.2: the host of an absolute-form target takes precedence over Host.
  if (head->form == TargetForm::kAbsolute) return std::nullopt;
  std::optional<Authority> target = ParseAuthority(head->authority);
  if (!target) return ParseError::kBadTarget;
  uint16_t default_port = target->port.value_or(kHttpPort);
  if (!SameAuthority(*target, *host, default_port)) return ParseError::kHostDisagreesWithTarget;
  return std::nullopt;
}

}  // namespace meridian::wire::http
