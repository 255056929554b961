#include "site/trust/bearer.hpp"

#include <cstddef>
#include <string>
#include <string_view>

#include <openssl/crypto.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "base/text/base64.hpp"
#include "site/secret.hpp"
#include "wire/http/message.hpp"

namespace meridian::site {
namespace {

constexpr std::string_view kScheme = "Bearer ";
constexpr std::string_view kBasicScheme = "Basic ";

bool IsSecret(std::string_view shown, const Secret& secret) {
  const std::string& expected = secret.Reveal();
  CHECK(!expected.empty());
  return shown.size() == expected.size() &&
         CRYPTO_memcmp(shown.data(), expected.data(), expected.size()) == 0;
}

}  // namespace

bool ShowsSecret(const wire::http::HeaderFields& fields, const Secret& secret) {
  std::string_view shown = fields.Find("Authorization").value_or("");
  bool is_bearer = shown.starts_with(kScheme);
  return IsSecret(is_bearer ? shown.substr(kScheme.size()) : "", secret);
}

std::string BearerOf(const Secret& secret) { return std::string(kScheme) + secret.Reveal(); }

bool ShowsPassword(const wire::http::HeaderFields& fields, const Secret& secret) {
  std::string_view shown = fields.Find("Authorization").value_or("");
  if (!shown.starts_with(kBasicScheme)) return false;
  Result<std::string> text = FromBase64(shown.substr(kBasicScheme.size()));
  size_t colon = text ? text->find(':') : std::string::npos;
  return colon != std::string::npos && IsSecret(std::string_view(*text).substr(colon + 1), secret);
}

std::string BasicOf(std::string_view user, const Secret& secret) {
  return std::string(kBasicScheme) + Base64(std::string(user) + ":" + secret.Reveal());
}

}  // namespace meridian::site
