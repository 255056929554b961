#include "base/result.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

#include <fmt/core.h>

namespace meridian {
namespace {

Errc ErrcOfErrno(int number) {
  switch (number) {
    case ENOENT:
    case ESRCH:
      return Errc::kNotFound;
    case EEXIST:
    case EADDRINUSE:
      return Errc::kExists;
    case EACCES:
    case EPERM:
      return Errc::kPermission;
    case ECONNREFUSED:
      return Errc::kRefused;
    case ECONNRESET:
    case EPIPE:
      return Errc::kReset;
    case ETIMEDOUT:
      return Errc::kTimeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EMFILE:
    case ENFILE:
    case EADDRNOTAVAIL:
    case ENOSPC:
    case EDQUOT:
      return Errc::kUnavailable;
    case EINVAL:
      return Errc::kInvalid;
    default:
      return Errc::kIo;
  }
}

}  // namespace

std::string_view ErrcName(Errc code) {
  switch (code) {
    case Errc::kInvalid:
      return "invalid";
    case Errc::kTooLarge:
      return "too large";
    case Errc::kNotFound:
      return "not found";
    case Errc::kExists:
      return "exists";
    case Errc::kPermission:
      return "not permitted";
    case Errc::kRefused:
      return "refused";
    case Errc::kReset:
      return "reset";
    case Errc::kClosed:
      return "closed";
    case Errc::kTimeout:
      return "timed out";
    case Errc::kCancelled:
      return "cancelled";
    case Errc::kUnavailable:
      return "unavailable";
    case Errc::kIo:
      return "i/o error";
  }
  return "unknown";
}

Error ErrnoError(int number, std::string_view operation) {
  return Error{ErrcOfErrno(number),
               fmt::format("{}: {}", operation, std::generic_category().message(number))};
}

}  // namespace meridian
