// Finds a user of this machine by name, for child processes that run as another user (PostgreSQL
// refuses to run as root). Reads the user database and blocks: for a program's start.
#pragma once

#include <string>

#include "base/result.hpp"
#include "io/process.hpp"

namespace meridian::proc {

// kNotFound: no such user. kTooLarge: the user is in more than kMaxUserGroups groups. kPermission:
// this process may not become the user, because it is not root.
Result<io::User> FindUser(const std::string& name);

}  // namespace meridian::proc
