#include "base/geography.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace meridian {
namespace {

constexpr double kMeanRadiusKm = 6371.0088;

double Radians(double degrees) { return degrees * (std::numbers::pi / 180); }

}  // namespace

UnitVector UnitVectorOf(const Location& location) {
  double latitude = Radians(location.latitude);
  double longitude = Radians(location.longitude);
  return {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude),
          std::sin(latitude)};
}

double DistanceKm(const Location& a, const Location& b) {
  // The haversine formula, because the cosine formula is inexact for near points.
  double north = std::sin(Radians(b.latitude - a.latitude) / 2);
  double east = std::sin(Radians(b.longitude - a.longitude) / 2);
  double haversine =
      north * north + std::cos(Radians(a.latitude)) * std::cos(Radians(b.latitude)) * east * east;
  return 2 * kMeanRadiusKm * std::asin(std::sqrt(std::clamp(haversine, 0.0, 1.0)));
}

}  // namespace meridian
