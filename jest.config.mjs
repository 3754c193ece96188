// jest runs the compiled tests: no transformer stands between a test and the code that ships.
export default {
  testEnvironment: 'node',
  transform: {},
  roots: ['<rootDir>/build/test'],
  testMatch: ['**/*.test.js'],
  coverageProvider: 'v8',
  collectCoverageFrom: ['<rootDir>/build/src/**/*.js'],
  maxWorkers: 2,
  // Generous: on a busy machine a program starts ten times slower, and what hangs is seen all the same.
  testTimeout: 180_000,
};
