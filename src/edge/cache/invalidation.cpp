#include "edge/cache/invalidation.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"
#include "wire/http/status.hpp"

namespace meridian::edge {
namespace {

// RFC 3986 5.2.4.
std::string RemoveDotSegments(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_folder = false;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    size_t end = std::min(path.find('/'), path.size());
    std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    ends_in_folder = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!ends_in_folder) segments.push_back(segment);
  }
  std::string clean;
  for (std::string_view segment : segments) clean.append("/").append(segment);
  if (ends_in_folder || clean.empty()) clean += '/';
  return clean;
}

InvalidatedTarget Split(std::string_view target) {
  size_t mark = target.find('?');
  InvalidatedTarget split{.path = RemoveDotSegments(target.substr(0, mark))};
  if (mark != std::string_view::npos) split.query = std::string(target.substr(mark + 1));
  return split;
}

bool TakeScheme(std::string_view* text, bool https) {
  std::string_view scheme = https ? "https:" : "http:";
  if (text->size() < scheme.size()) return false;
  if (!wire::http::EqualsIgnoreCase(text->substr(0, scheme.size()), scheme)) return false;
  text->remove_prefix(scheme.size());
  return true;
}

bool HasScheme(std::string_view text) {
  size_t colon = text.find_first_of(":/?");
  return colon != std::string_view::npos && text[colon] == ':';
}

// `reference` resolved against the request's target (RFC 3986 5.2), when it has the same origin.
std::optional<InvalidatedTarget> Resolve(std::string_view reference,
                                         const wire::http::RequestHead& request, bool https) {
  reference = reference.substr(0, reference.find('#'));
  if (HasScheme(reference) && !TakeScheme(&reference, https)) return std::nullopt;
  if (reference.starts_with("//")) {
    reference.remove_prefix(2);
    size_t end = std::min(reference.find_first_of("/?"), reference.size());
    auto theirs = wire::http::ParseAuthority(reference.substr(0, end));
    auto ours = wire::http::ParseAuthority(request.authority);
    uint16_t port = https ? 443 : 80;
    if (!theirs || !ours || !wire::http::SameAuthority(*theirs, *ours, port)) return std::nullopt;
    reference.remove_prefix(end);
    if (!reference.starts_with('/')) return Split("/" + std::string(reference));
    return Split(reference);
  }
  if (reference.starts_with('/')) return Split(reference);
  if (reference.starts_with('?')) return Split(std::string(request.path).append(reference));
  if (reference.empty()) return std::nullopt;
  std::string_view folder = request.path.substr(0, request.path.rfind('/') + 1);
  return Split(std::string(folder).append(reference));
}

}  // namespace

bool Invalidates(std::string_view method, int status) {
  return !wire::http::IsSafeMethod(method) && status >= 200 && status < 400;
}

bool IsContentOfTarget(const wire::http::RequestHead& request, bool https,
                       const wire::http::HeaderFields& response) {
  if (response.Count("Content-Location") != 1) return false;
  const std::optional<InvalidatedTarget> target =
      Resolve(*response.Find("Content-Location"), request, https);
  return target && target->path == request.path && target->query == request.query;
}

std::vector<InvalidatedTarget> InvalidatedTargets(const wire::http::RequestHead& request,
                                                  bool https,
                                                  const wire::http::HeaderFields& response) {
  std::vector<InvalidatedTarget> targets;
  InvalidatedTarget own{.path = std::string(request.path)};
  if (request.query) own.query = std::string(*request.query);
  targets.push_back(std::move(own));
  for (std::string_view name : {"Location", "Content-Location"}) {
    std::optional<std::string_view> reference = response.Find(name);
    if (!reference) continue;
    std::optional<InvalidatedTarget> target = Resolve(*reference, request, https);
    if (target && std::ranges::find(targets, *target) == targets.end()) {
      targets.push_back(std::move(*target));
    }
  }
  return targets;
}

}  // namespace meridian::edge
