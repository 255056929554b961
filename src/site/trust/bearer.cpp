#include "site/trust/bearer.hpp"

#include <string>
#include <string_view>

#include <openssl/crypto.h>

#include "base/check.hpp"
#include "site/secret.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {
namespace {

constexpr std::string_view kScheme = "Bearer ";

}  // namespace

bool ShowsSecret(const wire::http::HeaderFields& fields, const Secret& secret) {
  const std::string& expected = secret.Reveal();
  CHECK(!expected.empty());
  std::string_view shown = fields.Find("Authorization").value_or("");
  if (!shown.starts_with(kScheme)) return false;
  shown.remove_prefix(kScheme.size());
  return shown.size() == expected.size() &&
         CRYPTO_memcmp(shown.data(), expected.data(), expected.size()) == 0;
}

std::string BearerOf(const Secret& secret) { return std::string(kScheme) + secret.Reveal(); }

}  // namespace meridian::site
