#include "session/config.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "session/engine/byte_size.hpp"
#include "session/limits.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"

namespace meridian::session {
namespace {

void ReadPassword(site::TableReader& reader, std::string_view key, std::string_view user,
                  Config* config) {
  std::string written = reader.Text(key);
  if (written.size() > 1 && written[0] == '$') {
    config->password_variables[std::string(user)] = written.substr(1);
  } else if (!written.empty()) {
    reader.Reject(key, "this file is no place for a password",
                  "set it in the environment and write \"$NAME\" of the variable here");
  }
}

Config Parse(site::TableReader& reader, const site::Site& /*site*/) {
  Config config;
  config.durability = reader.Choice<Durability>(
      "durability", {{"disk", Durability::kDisk}, {"memory", Durability::kMemory}},
      config.durability);
  if (reader.Has("password")) ReadPassword(reader, "password", "default", &config);
  site::TableReader users = reader.Table("users");
  for (const std::string& user : users.Names()) ReadPassword(users, user, user, &config);
  if (reader.Has("maxmemory")) {
    std::optional<size_t> bytes = ParseByteSize(reader.Text("maxmemory"));
    if (!bytes || *bytes < kMinMaxMemoryBytes) {
      reader.Reject("maxmemory", "\"maxmemory\" must be a size of memory",
                    fmt::format("at least {} bytes, such as \"512mb\"", kMinMaxMemoryBytes));
    }
    config.max_memory_bytes = bytes.value_or(0);
  }
  config.max_clients = static_cast<size_t>(
      reader.Integer("max_clients", {.min = 1,
                                     .max = static_cast<int64_t>(kMaxClients),
                                     .fallback = static_cast<int64_t>(config.max_clients)}));
  site::TableReader cache = reader.Table("cache");
  config.cache_prefix = cache.Text("prefix", {.fallback = ""});
  return config;
}

}  // namespace

site::Section ConfigSection() { return site::Section::Of<Config>("session", &Parse); }

}  // namespace meridian::session
