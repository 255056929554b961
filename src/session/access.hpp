// Who may speak to the session tier, and how applications do: its users with their passwords, and
// the URL that an application is given. Any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "site/reach.hpp"
#include "site/secret.hpp"
#include "site/site.hpp"

namespace meridian::session {

// By user; none: everybody may do everything.
using Passwords = std::map<std::string, std::string, std::less<>>;

// The passwords that [session] names, from the environment. Where it names none for "default", that
// user's is derived from the state directory's token, if there is one. kInvalid: a variable is not
// set.
Result<Passwords> ReadPasswords(const site::Site& site,
                                const std::filesystem::path& state_directory);

// "redis://user:password@address:port", or the external store's URL.
site::Secret ApplicationUrl(const site::Site& site, const site::DataCenter& here,
                            site::Hosting hosting, const Passwords& passwords);

// What instances of the application find in their environment: REDIS_URL.
Result<std::vector<std::pair<std::string, std::string>>> ApplicationVariables(
    const site::Site& site, const site::DataCenter& here, site::Hosting hosting,
    const std::filesystem::path& state_directory);

}  // namespace meridian::session
