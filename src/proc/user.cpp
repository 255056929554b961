#include "proc/user.hpp"

#include <cerrno>
#include <cstddef>
#include <string>
#include <vector>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/result.hpp"
#include "io/process.hpp"
#include "proc/limits.hpp"

namespace meridian::proc {
namespace {

// Limit of an entry of the user database; past it getpwnam_r returns ERANGE.
constexpr size_t kMaxEntryBytes = size_t{64} * 1024;

}  // namespace

Result<io::User> FindUser(const std::string& name) {
  passwd entry{};
  passwd* found = nullptr;
  std::vector<char> texts(kMaxEntryBytes);
  int error = getpwnam_r(name.c_str(), &entry, texts.data(), texts.size(), &found);
  if (error != 0) return FailErrno(error, "user " + name);
  if (found == nullptr) return Fail(Errc::kNotFound, "there is no user {}", name);
  io::User user{.name = name, .home = entry.pw_dir, .uid = entry.pw_uid, .gid = entry.pw_gid};
  if (geteuid() != 0 && (geteuid() != user.uid || getegid() != user.gid)) {
    return Fail(Errc::kPermission, "only root may run a program as user {}", name);
  }
  int count = kMaxUserGroups;
  user.groups.resize(kMaxUserGroups);
  if (getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0) {
    return Fail(Errc::kTooLarge, "user {} is in more than {} groups", name, kMaxUserGroups);
  }
  user.groups.resize(static_cast<size_t>(count));
  return user;
}

}  // namespace meridian::proc
