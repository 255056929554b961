// A MaxMind DB file (such as GeoLite2 City, or a country database): maps an address to a location.
// Only this class uses libmaxminddb. The file is memory-mapped, and must not be overwritten in
// place while it is open (replace it by renaming). Immutable once open; any thread may look up;
// lookups do not allocate.
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
  int prefix_length = 0;             // all addresses with this prefix have the same match
};

class GeoDatabase {
 public:
  // kNotFound, kPermission or kInvalid, with the path in the message.
  static Result<GeoDatabase> Open(const std::filesystem::path& path);
  GeoDatabase(GeoDatabase&&) noexcept;
  GeoDatabase& operator=(GeoDatabase&&) noexcept;
  ~GeoDatabase();

  // The build date of the file, such as "2026-11-29".
  std::string Date() const;

  // The match has no location if the address is unknown, or in a damaged part of the file.
  GeoMatch Find(const IpAddress& address) const;

 private:
  struct File;
  explicit GeoDatabase(std::unique_ptr<File> file);

  std::unique_ptr<File> file_;
};

}  // namespace meridian::dns
