// Result<T>: a value or an Error. Every module reports failures of its environment (peers, files,
// the kernel) as Results, and bugs by CHECK. No exception crosses a module's boundary.
//
//   Result<int> Parse(std::string_view text);
//   Result<int> value = Parse("12");
//   if (!value) return Fail(value.error());            // pass it on
//   return Fail(Errc::kTooLarge, "name of {} bytes", n);  // or make one
//
// Read the value with `*value` after this check. Do not call value(): it throws on an error.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace meridian {

// The kind of a failure, for code to act on. The message is for people. No value means success: a
// default Error{} has the code kInvalid.
enum class Errc {
  kInvalid,      // the input or an argument is malformed (EINVAL)
  kTooLarge,     // past a named limit; also: a queue is full
  kNotFound,     // no such name, file, key or process
  kExists,       // already there: a file, a lock, an address in use
  kPermission,   // not allowed (EACCES, EPERM)
  kRefused,      // the peer refused the connection: nothing listens there
  kReset,        // the peer broke the connection off (ECONNRESET, EPIPE)
  kClosed,       // the peer or this process has closed it cleanly
  kTimeout,      // the deadline passed
  kCancelled,    // the waiting fiber was cancelled
  kUnavailable,  // not now, a later try may succeed: the disk is full, there is no free descriptor,
                 // the network is unreachable, no instance is healthy
  kIo,           // any other failure of the operating system
};

std::string_view ErrcName(Errc code);

struct Error {
  Errc code;
  std::string message;  // one line without newline: the failed operation and its object

  bool operator==(const Error&) const = default;
};

template <class T = void>
class [[nodiscard]] Result : public std::expected<T, Error> {
 public:
  using std::expected<T, Error>::expected;
};

template <class... Args>
std::unexpected<Error> Fail(Errc code, fmt::format_string<Args...> text, Args&&... args) {
  return std::unexpected(Error{code, fmt::format(text, std::forward<Args>(args)...)});
}

inline std::unexpected<Error> Fail(Error error) { return std::unexpected(std::move(error)); }

// The kernel's errno as an Error. The message is the failed operation with its object, and the
// text of strerror: "open /x: No such file or directory".
Error ErrnoError(int number, std::string_view operation);

inline std::unexpected<Error> FailErrno(int number, std::string_view operation) {
  return std::unexpected(ErrnoError(number, operation));
}

}  // namespace meridian
