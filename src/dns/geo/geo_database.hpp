// A MaxMind DB file (such as GeoLite2 City, or one of countries): from an address to a location.
// The only door to libmaxminddb. The file is mapped, and must not be overwritten in place while it
// is open (replace it by renaming). Immutable once open; any thread may look up; lookups do not
// allocate.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"

namespace meridian::dns {

struct GeoMatch {
  std::optional<Location> location;  // none: unknown address, or a record without a location
  int prefix_length = 0;             // all addresses that share so many bits have the same match
};

class GeoDatabase {
 public:
  // kNotFound, kPermission or kInvalid, with the path in the message.
  static Result<GeoDatabase> Open(const std::filesystem::path& path);
  GeoDatabase(GeoDatabase&&) noexcept;
  GeoDatabase& operator=(GeoDatabase&&) noexcept;
  ~GeoDatabase();

  // When the file was made, such as "2026-11-29".
  std::string Date() const;

  // An address that the file cannot tell about, or that its damaged part covers, has no location.
  GeoMatch Find(const IpAddress& address) const;

 private:
  struct File;
  explicit GeoDatabase(std::unique_ptr<File> file);

  std::unique_ptr<File> file_;
};

}  // namespace meridian::dns
