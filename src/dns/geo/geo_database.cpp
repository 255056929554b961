#include "dns/geo/geo_database.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/geography.hpp"
#include "base/ip.hpp"
#include "base/result.hpp"
#include "dns/geo/country.hpp"

namespace meridian::dns {
namespace {

constexpr int kMappedBits = 96;  // depth of the IPv4 subtree in an IPv6 file

sockaddr_storage SocketAddress(const IpAddress& address) {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&storage);
    v4->sin_family = AF_INET;
    std::memcpy(&v4->sin_addr, address.bytes().data(), sizeof v4->sin_addr);
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&storage);
    v6->sin6_family = AF_INET6;
    std::memcpy(&v6->sin6_addr, address.bytes().data(), sizeof v6->sin6_addr);
  }
  return storage;
}

std::optional<double> Number(MMDB_entry_s* entry, const char* key) {
  const std::array<const char*, 3> path = {"location", key, nullptr};
  MMDB_entry_data_s data{};
  if (MMDB_aget_value(entry, &data, path.data()) != MMDB_SUCCESS || !data.has_data) return {};
  if (data.type == MMDB_DATA_TYPE_DOUBLE) return data.double_value;
  if (data.type == MMDB_DATA_TYPE_FLOAT) return static_cast<double>(data.float_value);
  return {};
}

// The country of a record: "country_code", or the field of MaxMind's country databases.
std::optional<Location> CountryOf(MMDB_entry_s* entry) {
  constexpr std::array<const char*, 2> kFlat = {"country_code", nullptr};
  constexpr std::array<const char*, 3> kNested = {"country", "iso_code", nullptr};
  for (const char* const* path : {kFlat.data(), kNested.data()}) {
    MMDB_entry_data_s data{};
    if (MMDB_aget_value(entry, &data, path) != MMDB_SUCCESS || !data.has_data) continue;
    if (data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
    return CountryLocation({data.utf8_string, data.data_size});
  }
  return std::nullopt;
}

std::optional<Location> LocationOf(MMDB_entry_s* entry) {
  std::optional<double> latitude = Number(entry, "latitude");
  std::optional<double> longitude = Number(entry, "longitude");
  if (!latitude || !longitude) return CountryOf(entry);
  bool on_earth = *latitude >= -90 && *latitude <= 90 && *longitude >= -180 && *longitude <= 180;
  if (!on_earth) return {};
  return Location{*latitude, *longitude};
}

}  // namespace

struct GeoDatabase::File {
  MMDB_s database{};
  bool open = false;

  File() = default;
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (open) MMDB_close(&database);
  }
};

GeoDatabase::GeoDatabase(std::unique_ptr<File> file) : file_(std::move(file)) {}
GeoDatabase::GeoDatabase(GeoDatabase&&) noexcept = default;
GeoDatabase& GeoDatabase::operator=(GeoDatabase&&) noexcept = default;
GeoDatabase::~GeoDatabase() = default;

Result<GeoDatabase> GeoDatabase::Open(const std::filesystem::path& path) {
  auto file = std::make_unique<File>();
  errno = 0;
  int status = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &file->database);
  if (status == MMDB_FILE_OPEN_ERROR && errno != 0) return FailErrno(errno, path.string());
  if (status != MMDB_SUCCESS) {
    return Fail(Errc::kInvalid, "{} is not a MaxMind DB file: {}", path.string(),
                MMDB_strerror(status));
  }
  file->open = true;
  return GeoDatabase(std::move(file));
}

std::string GeoDatabase::Date() const {
  constexpr size_t kDateBytes = 32;
  auto built = static_cast<time_t>(file_->database.metadata.build_epoch);
  struct tm parts{};
  std::array<char, kDateBytes> text{};
  gmtime_r(&built, &parts);
  return {text.data(), strftime(text.data(), text.size(), "%Y-%m-%d", &parts)};
}

GeoMatch GeoDatabase::Find(const IpAddress& address) const {
  sockaddr_storage storage = SocketAddress(address);
  int status = MMDB_SUCCESS;
  MMDB_lookup_result_s result =
      MMDB_lookup_sockaddr(&file_->database, reinterpret_cast<const sockaddr*>(&storage), &status);
  GeoMatch match;
  if (status != MMDB_SUCCESS) return match;  // IPv6 in an IPv4 file, or damage
  bool mapped = address.is_v4() && file_->database.metadata.ip_version == 6;
  match.prefix_length = std::clamp(result.netmask - (mapped ? kMappedBits : 0), 0, address.bits());
  if (result.found_entry) match.location = LocationOf(&result.entry);
  return match;
}

}  // namespace meridian::dns
