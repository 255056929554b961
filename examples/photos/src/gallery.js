// The pictures that come with the application.
const photo = (id, file, title, description) => ({
  id, title, description, source: `/images/${file}.jpg`, width: 960, height: 640, by: null,
});

export const GALLERY = [
  photo('morning-lake', 'sample', 'Morning lake',
    'A snow-capped mountain at sunrise, mirrored in a still lake behind a line of firs.'),
  photo('blue-ridges', 'blue-ridges', 'Blue ridges',
    'Ridge behind ridge in deepening blue, under a violet evening sky.'),
  photo('northern-lights', 'northern-lights', 'Northern lights',
    'A green and violet aurora over a dark lake.'),
  photo('evening-sea', 'evening-sea', 'Evening sea',
    'The sun touches a calm sea between two islands; the sky is orange and purple.'),
  photo('green-valley', 'green-valley', 'Green valley',
    'Meadows below a lone mountain, with white clouds in a blue sky.'),
  photo('dunes', 'dunes', 'Dunes',
    'Smooth sand dunes in the morning sun.'),
];
