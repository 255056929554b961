// The session tier's settings: [session] of site.toml.
//
//   [session]
//   durability = "disk"            # acknowledge a write when it is on disk; "memory": at once
//   password = "$REDIS_PASSWORD"   # the environment variable with the password of "default"
//   maxmemory = "2gb"              # when it is reached, cache keys are evicted, or writes refused
//   max_clients = 10000
//
//   [session.users]
//   app = "$APP_PASSWORD"          # more users, each with all rights
//
//   [session.cache]
//   prefix = "cache:"              # keys that may be evicted, and whose writes do not wait for the
//   disk
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "session/limits.hpp"
#include "site/section.hpp"

namespace meridian::session {

enum class Durability : uint8_t { kDisk, kMemory };

struct Config {
  Durability durability = Durability::kDisk;
  // The environment variables with the passwords, by user; empty: no password is asked for.
  std::map<std::string, std::string, std::less<>> password_variables;
  size_t max_memory_bytes = 0;  // 0: no limit
  size_t max_clients = kMaxClients;
  std::string cache_prefix;  // empty: there is no cache
};

site::Section ConfigSection();

}  // namespace meridian::session
