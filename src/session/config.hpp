// The session tier's settings: [session] of site.toml. docs/site.toml.md says what each key is for;
// config.cpp describes and reads them.
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
