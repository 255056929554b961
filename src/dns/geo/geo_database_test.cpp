#include "dns/geo/geo_database.hpp"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include <fmt/chrono.h>
#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"
#include "dns/data_centers.hpp"
#include "dns/geo/country.hpp"
#include "dns/geo/location.hpp"

namespace meridian::dns {
namespace {

// A separate folder for each test, removed after it.
class GeoDatabaseTest : public testing::Test {
 protected:
  // Makes a file with Perl's MaxMind::DB::Writer.
  std::filesystem::path Written(int ip_version) {
    std::filesystem::path path = folder_ / "places.mmdb";
    std::string command = fmt::format("perl '{}/geo_database.pl' '{}' {}", MERIDIAN_TESTDATA,
                                      path.string(), ip_version);
    // NOLINTNEXTLINE(concurrency-mt-unsafe): this test has one thread
    EXPECT_EQ(std::system(command.c_str()), 0) << "apt install libmaxmind-db-writer-perl";
    return path;
  }

  ScratchDir folder_;
};

IpAddress A(std::string_view text) { return *IpAddress::Parse(text); }

TEST_F(GeoDatabaseTest, FindsLocationsOfBothFamilies) {
  Result<GeoDatabase> database = GeoDatabase::Open(Written(6));
  ASSERT_TRUE(database) << database.error().message;
  EXPECT_EQ(database->Find(A("198.51.100.7")).location, (Location{40.71, -74.01}));
  EXPECT_EQ(database->Find(A("198.51.100.7")).prefix_length, 24);
  EXPECT_EQ(database->Find(A("203.0.113.1")).prefix_length, 25);
  EXPECT_EQ(database->Find(A("2001:db8::1")).location, (Location{-33.87, 151.21}));
  EXPECT_EQ(database->Find(A("2001:db8::1")).prefix_length, 32);
}

TEST_F(GeoDatabaseTest, AddressWithoutALocationHasThePrefixThatSaysSo) {
  Result<GeoDatabase> database = GeoDatabase::Open(Written(6));
  ASSERT_TRUE(database);
  EXPECT_FALSE(database->Find(A("203.0.113.200")).location);
  EXPECT_EQ(database->Find(A("203.0.113.200")).prefix_length, 25);
  EXPECT_FALSE(database->Find(A("192.0.2.1")).location) << "a record that has only a city";
  EXPECT_EQ(database->Find(A("192.0.2.1")).prefix_length, 24);
  EXPECT_FALSE(database->Find(A("192.88.99.1")).location) << "a latitude that is not on Earth";
}

TEST_F(GeoDatabaseTest, ARecordThatHasOnlyACountryIsInItsMiddle) {
  Result<GeoDatabase> database = GeoDatabase::Open(Written(6));
  ASSERT_TRUE(database);
  EXPECT_EQ(database->Find(A("233.252.0.1")).location, CountryLocation("NL"));
  EXPECT_EQ(database->Find(A("233.252.1.1")).location, CountryLocation("JP"));
  EXPECT_EQ(database->Find(A("233.252.1.1")).prefix_length, 24);
  EXPECT_FALSE(database->Find(A("233.252.2.1")).location) << "a code that is no country's";
}

TEST_F(GeoDatabaseTest, SaysWhenItWasMade) {
  Result<GeoDatabase> database = GeoDatabase::Open(Written(4));
  ASSERT_TRUE(database);
  EXPECT_EQ(database->Date(), fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::time(nullptr))));
}

TEST_F(GeoDatabaseTest, OfCountriesCountsOnlyWhereTheSiteNamesNoneAndSteersByPlace) {
  std::filesystem::path file = Written(4);
  site::Site site{.name = "photos", .domain = "photos.example"};
  site.datacenters = {{.name = "us-east",
                       .address = IpAddress::V4(127, 1, 0, 1),
                       .public_addresses = {IpAddress::V4(192, 0, 2, 1)}}};
  auto knows = [&](const Config& config, const std::filesystem::path& countries) {
    Result<FixedParts> parts = FixedParts::Make(site, config, std::chrono::seconds{5}, countries);
    EXPECT_TRUE(parts) << parts.error().message;
    return parts && parts->locator->Find(A("233.252.0.1"), 32).location.has_value();
  };
  EXPECT_TRUE(knows({}, file));
  EXPECT_FALSE(knows({}, {}));
  EXPECT_FALSE(knows({.mode = SteeringMode::kWeighted}, file));
  // A site starts without it.
  EXPECT_FALSE(knows({}, folder_ / "missing.mmdb"));
  std::ofstream(folder_ / "text.mmdb") << "not a database";
  EXPECT_FALSE(knows({}, folder_ / "text.mmdb"));
}

TEST_F(GeoDatabaseTest, Ipv4FileKnowsNothingOfIpv6) {
  Result<GeoDatabase> database = GeoDatabase::Open(Written(4));
  ASSERT_TRUE(database);
  EXPECT_EQ(database->Find(A("198.51.100.7")).prefix_length, 24);
  EXPECT_FALSE(database->Find(A("2001:db8::1")).location);
  EXPECT_EQ(database->Find(A("2001:db8::1")).prefix_length, 0);
}

TEST_F(GeoDatabaseTest, StandsBehindThePlacesOfTheSite) {
  auto database = std::make_shared<GeoDatabase>(*GeoDatabase::Open(Written(6)));
  Place office{"office", *IpPrefix::Parse("198.51.100.16/28"), {0, 0}};
  Locator locator = *Locator::Build({office}, database);
  ClientLocation in_office = locator.Find(A("198.51.100.17"), 32);
  EXPECT_EQ(in_office.place, 0U);
  EXPECT_EQ(in_office.location, UnitVectorOf({0, 0}));
  ClientLocation beside = locator.Find(A("198.51.100.129"), 32);
  EXPECT_FALSE(beside.place);
  EXPECT_EQ(beside.location, UnitVectorOf({40.71, -74.01}));
  EXPECT_EQ(beside.scope_bits, 25) << "the database's 24 bits would cover the office too";
}

TEST_F(GeoDatabaseTest, WhatIsNoDatabaseIsRefusedByItsPath) {
  std::filesystem::path text = folder_ / "text.mmdb";
  std::ofstream(text) << "not a database";
  Result<GeoDatabase> invalid = GeoDatabase::Open(text);
  ASSERT_FALSE(invalid);
  EXPECT_EQ(invalid.error().code, Errc::kInvalid);
  EXPECT_NE(invalid.error().message.find("text.mmdb"), std::string::npos);
  Result<GeoDatabase> missing = GeoDatabase::Open(folder_ / "missing.mmdb");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Errc::kNotFound);
}

}  // namespace
}  // namespace meridian::dns
