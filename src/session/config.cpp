#include "session/config.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <fmt/core.h>

#include "session/engine/byte_size.hpp"
#include "session/limits.hpp"
#include "site/key_description.hpp"
#include "site/load/table_reader.hpp"
#include "site/section.hpp"

namespace meridian::session {
namespace {

constexpr site::KeyDescription kKeys[] = {
    {.table = "session", .sentence = "The session store, which speaks the Redis protocol."},
    {.table = "session", .key = "port", .sentence = "The port for Redis clients."},
    {.table = "session",
     .key = "external",
     .sentence =
         "The URL of a server elsewhere that is used instead, or `$NAME` of the environment "
         "variable that holds it; a URL with a password belongs in a variable.",
     .fallback = "Meridian runs the tier",
     .limits = "a URL that begins with `redis://` or `rediss://`"},
    {.table = "session",
     .key = "durability",
     .sentence = "Whether a write is acknowledged when it is on disk, or at once and kept in "
                 "memory alone."},
    {.table = "session",
     .key = "password",
     .sentence = "`$NAME` of the environment variable with the password of the user `default`.",
     .fallback = "made from the site's `admin.token`",
     .limits = "`$NAME`"},
    {.table = "session",
     .key = "maxmemory",
     .sentence = "The memory of all keys; above it keys of the cache are evicted, or else writes "
                 "are refused.",
     .fallback = "no limit",
     .limits = "at least 1mb, with `kb`, `mb`, `gb` (powers of 1024) or `k`, `m`, `g` (of 1000)"},
    {.table = "session",
     .key = "max_clients",
     .sentence = "The clients' connections that are open at the same time."},
    {.table = "session.users", .sentence = "Further users, each with all rights."},
    {.table = "session.users",
     .key = site::kAnyName,
     .sentence = "`$NAME` of the environment variable with this user's password.",
     .fallback = "none",
     .limits = "`$NAME`"},
    {.table = "session.cache",
     .sentence =
         "Keys that are a cache: they may be evicted, and their writes do not wait for the disk."},
    {.table = "session.cache",
     .key = "prefix",
     .sentence = "The beginning of the names of these keys.",
     .fallback = "no key is a cache"},
};

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

site::Section ConfigSection() { return site::Section::Of<Config>("session", &Parse, kKeys); }

}  // namespace meridian::session
