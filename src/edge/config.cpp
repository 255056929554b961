#include "edge/config.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "site/section.hpp"
#include "site/site.hpp"
#include "site/table_reader.hpp"

namespace meridian::edge {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr int64_t kMostBodyBytes = int64_t{1} << 40;
constexpr int64_t kMostConnections = 1'000'000;
constexpr size_t kMostCertificates = 64;

Config Parse(site::TableReader& reader, const site::Site& site) {
  Config config;
  config.response_timeout = reader.Duration(
      "response_timeout",
      {.min = milliseconds{100}, .max = minutes{60}, .fallback = config.response_timeout});
  config.max_body_bytes = static_cast<uint64_t>(reader.Integer(
      "max_body_bytes",
      {.min = 0, .max = kMostBodyBytes, .fallback = static_cast<int64_t>(config.max_body_bytes)}));
  config.max_connections = static_cast<size_t>(reader.Integer(
      "max_connections", {.min = 1,
                          .max = kMostConnections,
                          .fallback = static_cast<int64_t>(config.max_connections)}));
  for (const std::string& text : reader.Texts("debug_from")) {
    Result<IpPrefix> prefix = IpPrefix::Parse(text);
    if (prefix) {
      config.debug_from.push_back(*prefix);
    } else {
      reader.Reject("debug_from", prefix.error().message, "write a prefix such as 192.0.2.0/24");
    }
  }
  config.redirect_http = reader.Boolean("redirect_http", false);
  for (site::TableReader& table : reader.Tables("certificate", {.max = kMostCertificates})) {
    config.certificates.push_back(
        {.certificate_path = site.file.parent_path() / table.Text("certificate"),
         .key_path = site.file.parent_path() / table.Text("key")});
  }
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("edge", &Parse); }

}  // namespace meridian::edge
