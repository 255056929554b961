#include "session/access.hpp"

#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "session/config.hpp"
#include "site/reach.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"
#include "site/trust/password.hpp"

namespace meridian::session {
namespace {

constexpr std::string_view kDefaultUser = "default";

// Escapes all but the unreserved characters of RFC 3986, section 2.3, as section 2.1 says.
std::string PercentEncoded(std::string_view text) {
  std::string encoded;
  for (char c : text) {
    bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                 std::string_view("-._~").find(c) != std::string_view::npos;
    encoded += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return encoded;
}

Result<void> AddDerived(const std::filesystem::path& state_directory, Passwords* passwords) {
  auto state = site::StateDir::Open(state_directory);
  auto token = state ? state->ReadToken() : Fail(state.error());
  if (!token && token.error().code == Errc::kNotFound) return {};
  if (!token) return Fail(token.error());
  passwords->emplace(kDefaultUser, site::PasswordFor(*token, "session").Reveal());
  return {};
}

}  // namespace

Result<Passwords> ReadPasswords(const site::Site& site,
                                const std::filesystem::path& state_directory) {
  Passwords passwords;
  for (const auto& [user, variable] : site.sections.Get<Config>().password_variables) {
    const char* password = std::getenv(variable.c_str());  // NOLINT: no other thread yet
    if (password == nullptr || *password == '\0') {
      return Fail(Errc::kInvalid,
                  "the environment variable {} with the password of \"{}\" is not set", variable,
                  user);
    }
    passwords[user] = password;
  }
  if (passwords.contains(kDefaultUser)) return passwords;
  Result<void> derived = AddDerived(state_directory, &passwords);
  if (!derived) return Fail(std::move(derived.error()));
  return passwords;
}

site::Secret ApplicationUrl(const site::Site& site, const site::DataCenter& here,
                            site::Hosting hosting, const Passwords& passwords) {
  auto external = site.externals.find("session");
  if (external != site.externals.end()) return external->second.url;
  std::string user;
  auto found = passwords.find(kDefaultUser);
  if (found == passwords.end()) found = passwords.begin();
  if (found != passwords.end()) {
    // Clients of Redis before 6 know no users, and send the password alone.
    user = fmt::format("{}:{}@", found->first == kDefaultUser ? "" : PercentEncoded(found->first),
                       PercentEncoded(found->second));
  }
  Endpoint at{site::HostAddress(here, hosting), site.ports.session};
  return site::Secret(fmt::format("redis://{}{}", user, at.ToString()));
}

Result<std::vector<std::pair<std::string, std::string>>> ApplicationVariables(
    const site::Site& site, const site::DataCenter& here, site::Hosting hosting,
    const std::filesystem::path& state_directory) {
  Passwords passwords;
  if (!site.externals.contains("session")) {
    Result<Passwords> read = ReadPasswords(site, state_directory);
    if (!read) return Fail(std::move(read.error()));
    passwords = std::move(*read);
  }
  std::vector<std::pair<std::string, std::string>> variables;
  variables.emplace_back("REDIS_URL", ApplicationUrl(site, here, hosting, passwords).Reveal());
  return variables;
}

}  // namespace meridian::session
