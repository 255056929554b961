#include "agent/engines/engine_access.hpp"

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include <crypt.h>

#include "agent/engines/engine_text.hpp"
#include "base/check.hpp"
#include "site/secret.hpp"
#include "site/trust/password.hpp"
#include "wire/json/writer.hpp"

namespace meridian::agent {
namespace {

// 2^4 rounds, the least: the password has 256 random bits, so nobody can try them all.
constexpr unsigned long kBcryptCost = 4;  // NOLINT(google-runtime-int): of crypt(3)
constexpr size_t kSaltBytes = 16;
constexpr size_t kMaxBcryptBytes = 72;

std::string Bcrypt(const site::Secret& password) {
  CHECK(password.Reveal().size() <= kMaxBcryptBytes);
  // A salt of the password itself, so that the file changes only with the password.
  const std::string salt = site::PasswordFor(password, "salt").Reveal().substr(0, kSaltBytes);
  std::array<char, CRYPT_GENSALT_OUTPUT_SIZE> setting{};
  CHECK(crypt_gensalt_rn("$2b$", kBcryptCost, salt.data(), static_cast<int>(salt.size()),
                         setting.data(), static_cast<int>(setting.size())) != nullptr);
  auto data = std::make_unique<crypt_data>();
  const char* hash = crypt_r(password.Reveal().c_str(), setting.data(), data.get());
  CHECK(hash != nullptr && hash[0] == '$');
  return hash;
}

}  // namespace

std::string EngineWebConfig(const site::Secret& password) {
  wire::json::Writer writer({.indent = kEngineTextIndent});
  writer.BeginObject();
  writer.BeginObject("basic_auth_users");
  writer.Member(kEngineUser, Bcrypt(password));
  writer.EndObject();
  writer.EndObject();
  return EngineText(kEngineComment, writer.Take());
}

}  // namespace meridian::agent
