#include "site/trust/password.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <fmt/core.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.hpp"
#include "base/check.hpp"
#include "site/secret.hpp"

namespace meridian::site {

Secret PasswordFor(const Secret& token, std::string_view purpose) {
  const std::string& key = token.Reveal();
  std::array<uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  Bytes text = AsBytes(purpose);
  CHECK(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), text.data(), text.size(),
             digest.data(), &bytes) != nullptr);
  std::string password;
  for (uint8_t byte : std::span(digest).first(bytes)) password += fmt::format("{:02x}", byte);
  return Secret(password);
}

}  // namespace meridian::site
