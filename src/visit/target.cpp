#include "visit/target.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/location.hpp"
#include "dns/limits.hpp"
#include "site/load/spelling.hpp"
#include "site/site.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/name.hpp"
#include "wire/http/uri.hpp"

namespace meridian::visit {
namespace {

using wire::dns::ClientSubnet;
using wire::dns::Name;

constexpr uint16_t kHttpPort = 80;
constexpr uint16_t kHttpsPort = 443;

bool IsOfSite(std::string_view host, const site::Site& site) {
  if (host == site.domain) return true;
  return host.size() > site.domain.size() && host.ends_with(site.domain) &&
         host[host.size() - site.domain.size() - 1] == '.';
}

Result<Name> ServiceNameOf(const Name& name, const wire::http::Url& url) {
  if (!url.https || url.port == kHttpsPort) return name;
  Result<Name> service = name.Child("_https");
  if (!service) return service;
  return service->Child(fmt::format("_{}", url.port));
}

Result<Origin> OriginAt(std::string shown, const IpPrefix& prefix) {
  ClientSubnet subnet{.address = prefix.address,
                      .source_length = static_cast<uint8_t>(prefix.length)};
  return Origin{std::move(shown), subnet};
}

}  // namespace

Result<Target> ParseTarget(std::string_view text, const site::Site& site) {
  Result<wire::http::Url> url = wire::http::ParseUrl(text);
  if (!url) return Fail(std::move(url.error()));
  if (url->host.ends_with('.')) url->host.pop_back();
  if (!IsOfSite(url->host, site)) {
    return Fail(Errc::kInvalid,
                "{} is not of this site; visit {}://{}/, or one data center by itself: {}://{}.{}/",
                url->host, url->https ? "https" : "http", site.domain,
                url->https ? "https" : "http", site.datacenters.front().name, site.domain);
  }
  Result<Name> name = Name::Parse(url->host);
  if (!name) return Fail(std::move(name.error()));
  Result<Name> service_name = ServiceNameOf(*name, *url);
  if (!service_name) return Fail(std::move(service_name.error()));
  bool standard_port = url->port == (url->https ? kHttpsPort : kHttpPort);
  uint16_t site_port = url->https ? site.ports.edge_https : site.ports.edge;
  size_t question = url->target.find('?');
  Target target{.https = url->https,
                .host = url->host,
                .port = standard_port ? site_port : url->port,
                .path = url->target.substr(0, question),
                .authority = url->authority(),
                .name = *name,
                .service_name = *service_name};
  if (question != std::string::npos) target.query = url->target.substr(question + 1);
  return target;
}

Result<Origin> ParseOrigin(std::string_view from, std::span<const dns::Place> places) {
  if (from.empty()) return Origin{};
  auto place = std::ranges::find(places, from, &dns::Place::name);
  if (place != places.end()) {
    return OriginAt(fmt::format("{} ({})", place->name, place->prefix.ToString()), place->prefix);
  }
  if (Result<IpAddress> address = IpAddress::Parse(from)) {
    int bits = address->is_v4() ? dns::kIpv4BlockBits : dns::kIpv6BlockBits;
    IpPrefix block{address->Masked(bits), bits};
    return OriginAt(fmt::format("{} ({})", from, block.ToString()), block);
  }
  Result<IpPrefix> prefix = IpPrefix::Parse(from);
  if (prefix) return OriginAt(prefix->ToString(), *prefix);
  if (from.contains('/')) return Fail(std::move(prefix.error()));
  std::vector<std::string> names;
  for (const dns::Place& known : places) names.push_back(known.name);
  std::optional<std::string> nearest = site::Nearest(from, names);
  return Fail(Errc::kInvalid, "'{}' is neither an address nor a [[dns.place]] of the site{}", from,
              nearest ? fmt::format("; did you mean {}?", *nearest) : "");
}

}  // namespace meridian::visit
