// Result<T>: a value or an Error. Every module reports failures of its environment (peers, files,
// the kernel) as Results, and bugs by CHECK. No exception crosses a module's boundary.
//
//   Result<int> Parse(std::string_view text);
//   Result<int> value = Parse("12");
//   if (!value) return Fail(value.error());            // pass it on
//   return Fail(Errc::kTooLarge, "name of {} bytes", n);  // or make one
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace meridian {

// The kind of a failure, for code to act on. The message is for people.
enum class Errc {
  kInvalid,      // the input is malformed
  kTooLarge,     // past a named limit
  kNotFound,     // no such name, file or key
  kExists,       // already there (a lock, a file, a port in use)
  kPermission,   // not allowed
  kRefused,      // the peer refused the connection
  kReset,        // the peer broke the connection off
  kClosed,       // closed in good order by either side
  kTimeout,      // the deadline passed
  kCancelled,    // the waiting coroutine was cancelled
  kUnavailable,  // not available now; a later try may succeed
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

// The kernel's errno as an Error: `what: strerror(number)`.
Error ErrnoError(int number, std::string_view what);

inline std::unexpected<Error> FailErrno(int number, std::string_view what) {
  return std::unexpected(ErrnoError(number, what));
}

}  // namespace meridian
