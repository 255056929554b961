#include "site/location.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace meridian::site {
namespace {

// City centers, rounded to about a kilometer.
constexpr auto kCities = std::to_array<City>({
    {"Amsterdam", {52.37, 4.90}},
    {"Ashburn", {39.04, -77.49}},
    {"Atlanta", {33.75, -84.39}},
    {"Auckland", {-36.85, 174.76}},
    {"Bangalore", {12.97, 77.59}},
    {"Bangkok", {13.76, 100.50}},
    {"Beijing", {39.90, 116.41}},
    {"Berlin", {52.52, 13.40}},
    {"Bogota", {4.71, -74.07}},
    {"Boston", {42.36, -71.06}},
    {"Brussels", {50.85, 4.35}},
    {"Buenos Aires", {-34.60, -58.38}},
    {"Cape Town", {-33.92, 18.42}},
    {"Chennai", {13.08, 80.27}},
    {"Chicago", {41.88, -87.63}},
    {"Columbus", {39.96, -83.00}},
    {"Copenhagen", {55.68, 12.57}},
    {"Council Bluffs", {41.26, -95.86}},
    {"Dallas", {32.78, -96.80}},
    {"Delhi", {28.61, 77.21}},
    {"Denver", {39.74, -104.99}},
    {"Dubai", {25.20, 55.27}},
    {"Dublin", {53.35, -6.26}},
    {"Falkenstein", {50.48, 12.37}},
    {"Frankfurt", {50.11, 8.68}},
    {"Helsinki", {60.17, 24.94}},
    {"Hong Kong", {22.32, 114.17}},
    {"Hyderabad", {17.39, 78.49}},
    {"Istanbul", {41.01, 28.98}},
    {"Jakarta", {-6.21, 106.85}},
    {"Johannesburg", {-26.20, 28.05}},
    {"Lagos", {6.52, 3.38}},
    {"Las Vegas", {36.17, -115.14}},
    {"Lima", {-12.05, -77.04}},
    {"London", {51.51, -0.13}},
    {"Los Angeles", {34.05, -118.24}},
    {"Madrid", {40.42, -3.70}},
    {"Manama", {26.23, 50.59}},
    {"Manila", {14.60, 120.98}},
    {"Marseille", {43.30, 5.37}},
    {"Melbourne", {-37.81, 144.96}},
    {"Mexico City", {19.43, -99.13}},
    {"Miami", {25.76, -80.19}},
    {"Milan", {45.46, 9.19}},
    {"Montreal", {45.50, -73.57}},
    {"Mumbai", {19.08, 72.88}},
    {"Munich", {48.14, 11.58}},
    {"Nairobi", {-1.29, 36.82}},
    {"New York", {40.71, -74.01}},
    {"Nuremberg", {49.45, 11.08}},
    {"Osaka", {34.69, 135.50}},
    {"Oslo", {59.91, 10.75}},
    {"Paris", {48.86, 2.35}},
    {"Phoenix", {33.45, -112.07}},
    {"Portland", {45.52, -122.68}},
    {"Prague", {50.08, 14.44}},
    {"Queretaro", {20.59, -100.39}},
    {"Salt Lake City", {40.76, -111.89}},
    {"San Francisco", {37.77, -122.42}},
    {"San Jose", {37.34, -121.89}},
    {"Santiago", {-33.45, -70.67}},
    {"Sao Paulo", {-23.55, -46.63}},
    {"Seattle", {47.61, -122.33}},
    {"Seoul", {37.57, 126.98}},
    {"Shanghai", {31.23, 121.47}},
    {"Singapore", {1.35, 103.82}},
    {"Stockholm", {59.33, 18.07}},
    {"Strasbourg", {48.57, 7.75}},
    {"Sydney", {-33.87, 151.21}},
    {"Taipei", {25.03, 121.57}},
    {"Tel Aviv", {32.09, 34.78}},
    {"Tokyo", {35.68, 139.69}},
    {"Toronto", {43.65, -79.38}},
    {"Turin", {45.07, 7.69}},
    {"Vancouver", {49.28, -123.12}},
    {"Vienna", {48.21, 16.37}},
    {"Warsaw", {52.23, 21.01}},
    {"Zurich", {47.38, 8.54}},
});
static_assert(std::ranges::is_sorted(kCities, {}, &City::name));

bool SameLetter(char a, char b) {
  auto plain = [](char letter) {
    if (letter == '-' || letter == '_') return ' ';
    return static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  };
  return plain(a) == plain(b);
}

}  // namespace

std::span<const City> Cities() { return kCities; }

std::optional<Location> FindCity(std::string_view name) {
  for (const City& city : kCities) {
    if (std::ranges::equal(city.name, name, SameLetter)) return city.location;
  }
  return std::nullopt;
}

std::vector<std::string> CityNames() {
  std::vector<std::string> names;
  names.reserve(kCities.size());
  for (const City& city : kCities) names.emplace_back(city.name);
  return names;
}

}  // namespace meridian::site
