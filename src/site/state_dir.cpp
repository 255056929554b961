#include "site/state_dir.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/core.h>
#include <sys/random.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/check.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"
#include "io/file/file_lock.hpp"
#include "site/limits.hpp"
#include "site/secret.hpp"

namespace meridian::site {
namespace {

Result<std::filesystem::path> Absolute(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::path path = std::filesystem::absolute(directory, error).lexically_normal();
  if (error) return FailErrno(error.value(), directory.native());
  // "a/b/" names the same directory as "a/b", whose parent is "a".
  return path.has_filename() ? path : path.parent_path();
}

Error WithMend(Error error) {
  if (error.code == Errc::kPermission) {
    error.message +=
        ". A state directory is one user's alone: be that user (sudo -u), or give "
        "another directory with --state";
  }
  return error;
}

bool IsToken(std::string_view text) {
  return text.size() == 2 * kTokenBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string MakeToken() {
  std::array<uint8_t, kTokenBytes> random{};
  CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  std::string token;
  for (uint8_t byte : random) token += fmt::format("{:02x}", byte);
  return token;
}

}  // namespace

Result<StateDir> StateDir::Create(const std::filesystem::path& directory) {
  Result<std::filesystem::path> root = Absolute(directory);
  if (!root) return Fail(root.error());
  StateDir state(*root);
  size_t socket_bytes = state.lab_socket().native().size();
  if (socket_bytes >= sizeof(sockaddr_un::sun_path)) {
    return Fail(Errc::kTooLarge,
                "{} is too long a path for a Unix socket ({} bytes, at most {}); choose a shorter "
                "state directory",
                state.lab_socket().native(), socket_bytes, sizeof(sockaddr_un::sun_path) - 1);
  }
  for (const std::filesystem::path& folder : {*root, state.ca(), state.logs(), state.pids()}) {
    Result<> made = io::EnsurePrivateFolder(folder);
    if (!made) return Fail(WithMend(made.error()));
  }
  return state;
}

Result<StateDir> StateDir::Open(const std::filesystem::path& directory) {
  Result<std::filesystem::path> root = Absolute(directory);
  if (!root) return Fail(root.error());
  std::error_code error;
  if (!std::filesystem::is_directory(*root, error)) {
    return Fail(Errc::kNotFound, "there is no state directory {}", root->native());
  }
  Result<> private_folder = io::EnsurePrivateFolder(*root);
  if (!private_folder) return Fail(WithMend(private_folder.error()));
  return StateDir(*root);
}

Result<io::FileLock> StateDir::Lock() const {
  return io::FileLock::TryAcquire(lock(), root_.native());
}

std::filesystem::path StateDir::RunLockFile(std::string_view data_center) const {
  return root_ / fmt::format("run.{}.lock", data_center);
}

Result<io::FileLock> StateDir::LockRun(std::string_view data_center) const {
  return io::FileLock::TryAcquire(RunLockFile(data_center), data_center);
}

pid_t StateDir::RunHolder(std::string_view data_center) const {
  return io::FileLock::Holder(RunLockFile(data_center));
}

Result<io::FileLock> StateDir::LockForSetup() const {
  std::filesystem::path file = root_ / "setup.lock";
  return io::FileLock::Acquire(file, file.native(), kSetupTimeout);
}

Result<Secret> StateDir::ReadToken() const {
  Result<std::string> token = io::ReadFile(admin_token(), 2 * kTokenBytes + 1);
  if (!token) return Fail(token.error());
  if (token->ends_with('\n')) token->pop_back();
  if (!IsToken(*token)) {
    return Fail(Errc::kInvalid, "{} holds no token; remove it and start again",
                admin_token().native());
  }
  return Secret(*token);
}

Result<Secret> StateDir::EnsureToken() const {
  Result<io::FileLock> lock = LockForSetup();
  if (!lock) return Fail(lock.error());
  Result<Secret> token = ReadToken();
  if (token || token.error().code != Errc::kNotFound) return token;
  std::string made = MakeToken();
  Result<> written = io::WriteFileAtomically(admin_token(), made + "\n", 0600);
  if (!written) return Fail(written.error());
  return Secret(made);
}

}  // namespace meridian::site
