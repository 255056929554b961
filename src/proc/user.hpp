// A user of this machine, by name, for child processes that run as another user: PostgreSQL, for
// one, refuses to run as root. Reads the user database and blocks: for a program's start.
#pragma once

#include <string>

#include "base/result.hpp"
#include "io/process.hpp"

namespace meridian::proc {

// kNotFound: there is no such user. kTooLarge: it is in more than kMaxUserGroups groups.
// kPermission: this process may not become that user, because it is not root.
Result<io::User> FindUser(const std::string& name);

}  // namespace meridian::proc
