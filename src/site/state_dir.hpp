// The state directory: all files of a lab or a data center on this machine (default `.meridian/` in
// the folder of its start, else `--state DIR`). Its mode is 0700, so that only the user reads its
// files. A value that knows the file names; any thread.
//
//   lock         locked by the lab that runs here; contains its process id
//   run.NAME.lock  locked by `meridian run` of that data center
//   setup.lock   locked while a process makes the token and certificates
//   admin.token  the token that admin requests must carry
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
  // Creates the directory and its folders, or uses an existing directory. kPermission when it
  // belongs to another user or is open to others; kTooLarge when its path is too long for a Unix
  // socket.
  static Result<StateDir> Create(const std::filesystem::path& directory);
  // For commands that create nothing: kNotFound when there is no directory.
  static Result<StateDir> Open(const std::filesystem::path& directory);

  const std::filesystem::path& root() const { return root_; }  // absolute
  std::filesystem::path lock() const { return root_ / "lock"; }
  std::filesystem::path admin_token() const { return root_ / "admin.token"; }
  std::filesystem::path lab_socket() const { return root_ / "lab.sock"; }
  std::filesystem::path ca() const { return root_ / "ca"; }
  std::filesystem::path logs() const { return root_ / "logs"; }
  std::filesystem::path pids() const { return root_ / "pids"; }

  // The lab holds this lock as long as it runs. kExists, with the process id, when another lab
  // holds it.
  Result<io::FileLock> Lock() const;
  // The same for a data center that runs here without a lab.
  Result<io::FileLock> LockRun(std::string_view data_center) const;
  // The process id of the holder of LockRun, or 0.
  pid_t RunHolder(std::string_view data_center) const;
  // Serializes the creation of files among processes that start at the same time.
  Result<io::FileLock> LockForSetup() const;

  // The admin token, 64 hexadecimal digits of 32 random bytes; the first call makes it.
  Result<Secret> EnsureToken() const;
  // Reads the token: kNotFound when there is none yet, kInvalid when the file holds no token.
  Result<Secret> ReadToken() const;

 private:
  std::filesystem::path RunLockFile(std::string_view data_center) const;
  explicit StateDir(std::filesystem::path root) : root_(std::move(root)) {}
  std::filesystem::path root_;
};

}  // namespace meridian::site
