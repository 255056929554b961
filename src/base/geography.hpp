// Points on Earth and how far apart they are, for "the nearest data center". Pure values.
#pragma once

namespace meridian {

// Degrees, north and east positive: latitude -90 to 90, longitude -180 to 180 (WGS 84).
struct Location {
  double latitude = 0;
  double longitude = 0;

  bool operator==(const Location&) const = default;
};

// A location as a vector of length 1 from the Earth's centre. With a precomputed vector, comparing
// two distances costs three multiplications each.
struct UnitVector {
  double x = 1;
  double y = 0;
  double z = 0;

  bool operator==(const UnitVector&) const = default;
};

UnitVector UnitVectorOf(const Location& location);

// The cosine of the angle between two unit vectors: 1 at the same place, -1 at the antipodes. A
// larger value means a shorter distance.
inline double Nearness(const UnitVector& a, const UnitVector& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

// The great-circle distance on a sphere with the Earth's mean radius; within 0.6% of the ellipsoid.
double DistanceKm(const Location& a, const Location& b);

}  // namespace meridian
