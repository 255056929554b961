// The state directory: all that a lab or a data center keeps on this machine (default `.meridian/`
// beside where it was started, `--state DIR` otherwise), mode 0700, so that what stands in it is
// the user's own. A value that knows the names in it; any thread.
//
//   lock         held by the lab that runs here; says its process id
//   run.NAME.lock  held by `meridian run` of that data center
//   setup.lock   held for moments, while the token and certificates are made
//   admin.token  what admin requests must show
//   lab.sock     the lab's Unix socket
//   ca/          the site CA and its certificates
//   logs/ pids/  the agent's
#pragma once

#include <filesystem>
#include <string_view>

#include <sys/types.h>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"
#include "io/file/file_lock.hpp"
#include "site/secret.hpp"

namespace meridian::site {

class StateDir {
 public:
  // Makes the directory and the folders in it, or takes the one that is there. kPermission when it
  // is another user's or open to others; kTooLarge when a Unix socket in it could not be reached.
  static Result<StateDir> Create(const std::filesystem::path& directory);
  // For commands that only ask: kNotFound when there is none.
  static Result<StateDir> Open(const std::filesystem::path& directory);

  const std::filesystem::path& root() const { return root_; }  // absolute
  std::filesystem::path lock() const { return root_ / "lock"; }
  std::filesystem::path admin_token() const { return root_ / "admin.token"; }
  std::filesystem::path lab_socket() const { return root_ / "lab.sock"; }
  std::filesystem::path ca() const { return root_ / "ca"; }
  std::filesystem::path logs() const { return root_ / "logs"; }
  std::filesystem::path pids() const { return root_ / "pids"; }

  // To be held by the lab that runs here, as long as it runs. kExists, with the process id, when
  // one does.
  Result<io::FileLock> Lock() const;
  // The same for one data center that runs here by itself.
  Result<io::FileLock> LockRun(std::string_view data_center) const;
  // The process that does run it by itself, or 0.
  pid_t RunHolder(std::string_view data_center) const;
  // Serialises the making of files among processes that start at once.
  Result<io::FileLock> LockForSetup() const;

  // The admin token, 64 hexadecimal digits of 32 random bytes, made by the first who asks.
  Result<Secret> EnsureToken() const;
  // The same for commands: kNotFound when nobody has made it, kInvalid when it is not a token.
  Result<Secret> ReadToken() const;

 private:
  std::filesystem::path RunLockFile(std::string_view data_center) const;
  explicit StateDir(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace meridian::site
