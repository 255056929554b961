#include "edge/hosts/cdn_host.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "edge/cache/cache_key.hpp"
#include "edge/hosts/versioned_path.hpp"
#include "wire/http/authority.hpp"
#include "wire/http/characters.hpp"
#include "wire/http/message.hpp"

namespace meridian::edge {
namespace {

// Whether every application reads the path as the edge does: no dot segments, parameters,
// backslashes, nor escapes of these.
bool IsPlain(std::string_view path) {
  if (path.contains("..") || path.find_first_of(";\\") != path.npos) return false;
  for (size_t at = path.find('%'); at != path.npos; at = path.find('%', at + 3)) {
    if (path.size() - at < 3) return false;
    int high = wire::http::HexValue(path[at + 1]);
    int low = wire::http::HexValue(path[at + 2]);
    int byte = high * 16 + low;
    bool special = byte < 0x20 || std::string_view("/\\.;%").contains(static_cast<char>(byte));
    if (high < 0 || low < 0 || special) return false;
  }
  return true;
}

}  // namespace

bool IsCdnHost(std::string_view authority, std::string_view domain) {
  constexpr std::string_view kLabel = "cdn.";
  std::string_view host = WithoutPort(authority);
  return !domain.empty() && host.size() > kLabel.size() &&
         wire::http::EqualsIgnoreCase(host.substr(0, kLabel.size()), kLabel) &&
         wire::http::SameHost(host.substr(kLabel.size()), domain);
}

CdnVerdict JudgeCdn(const wire::http::RequestHead& request, std::span<const std::string> paths) {
  if (request.method != "GET" && request.method != "HEAD") return CdnVerdict::kMethod;
  auto versioned = ParseVersionedPath(request.path);
  std::string_view asked = versioned ? versioned->path : request.path;
  bool is_static = std::ranges::any_of(paths, [&](const std::string& path) {
    return path.ends_with('/') ? asked.starts_with(path) : asked == path;
  });
  return is_static && IsPlain(asked) ? CdnVerdict::kServe : CdnVerdict::kPath;
}

}  // namespace meridian::edge
