// Users of the session tier with their passwords, and the URL by which an application connects. Any
// thread.
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

// By user. Empty: no password is asked for.
using Passwords = std::map<std::string, std::string, std::less<>>;

// The passwords that [session] names, from the environment. The password of "default", where none
// is named, is derived from the state directory's token, if there is one. kInvalid: a variable is
// not set.
Result<Passwords> ReadPasswords(const site::Site& site,
                                const std::filesystem::path& state_directory);

// "redis://user:password@address:port", or the external store's URL.
site::Secret ApplicationUrl(const site::Site& site, const site::DataCenter& here,
                            site::Hosting hosting, const Passwords& passwords);

// Environment variables of the application's instances: REDIS_URL.
Result<std::vector<std::pair<std::string, std::string>>> ApplicationVariables(
    const site::Site& site, const site::DataCenter& here, site::Hosting hosting,
    const std::filesystem::path& state_directory);

}  // namespace meridian::session
